"""One cell of a feed: text or, from JSON and XML, also a number, a truth value, a list or a map."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import orjson
from django.core.exceptions import ValidationError

from reco_app.curation import validation

NOT_GIVEN: Final = object()  # an empty cell of a field that a product cannot be without
AVAILABILITY = {
    "in_stock": "in_stock",
    "limited_availability": "in_stock",
    "out_of_stock": "out_of_stock",
    "discontinued": "out_of_stock",
    "preorder": "preorder",
    "pre_order": "preorder",
    "backorder": "preorder",
}
LIST_SEPARATOR = "|"
FORMULA_STARTS = ("=", "+", "-", "@")  # an export puts an apostrophe before them
TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
MONEY = re.compile(r"(?P<amount>-?\d{1,20}(?:\.\d{1,20})?)(?: ?(?P<currency>[A-Za-z]{3}))?")
ADDRESS = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
ABOVE_ALL_PRICES = Decimal(10) ** 10


class Wrong(ValueError):
    """A cell that is not taken; the message says why."""


def text(value: object, longest: int) -> str:
    """The cell's text without blanks around it; None is empty, numbers are written out."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Wrong("not text")
    if validation.UNSTORABLE.search(value):
        raise Wrong("not UTF-8, or with a zero byte")
    value = value.strip()
    if value.startswith("'") and value[1:].startswith(FORMULA_STARTS):
        value = value[1:]
    if len(value) > longest:
        raise Wrong(f"{len(value)} characters; at most {longest} are kept")
    return value


def attribute(name: str, value: object) -> dict[str, Any]:
    """One attribute, or none where the cell is empty."""
    kept = text(value, 1000) if value is None or isinstance(value, str) else value
    return {} if kept == "" else _flat({text(name, 100): kept})


def _flat(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Wrong("not a map of names to values")
    for entry in value.values():
        for part in entry if isinstance(entry, list) else [entry]:
            if isinstance(part, str):
                text(part, 1000)
    try:
        validation.flat_attributes(value)
    except ValidationError as wrong:
        raise Wrong(wrong.messages[0]) from wrong
    return dict(value)


def _attributes(value: object, _currency: str) -> dict[str, Any]:
    if isinstance(value, str) and value:  # a map written out, as in a table exported here
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise Wrong("not a map in JSON") from None
    return {} if value in ("", None) else _flat(value)


def _id(value: object, _currency: str) -> str:
    item_id = text(value, 1000)
    if not validation.ITEM_ID_PATTERN.fullmatch(item_id):
        raise Wrong("not 1 to 64 letters, digits or any of . _ ~ -")
    return item_id


def _title(value: object, _currency: str) -> object:
    return text(value, 300) or NOT_GIVEN


def _up_to(longest: int) -> Callable[[object, str], object]:
    return lambda value, _currency: text(value, longest)


def _price(value: object, currency: str) -> object:
    given = text(value, 60)
    return _money(given, currency) if given else NOT_GIVEN


def _sale_price(value: object, currency: str) -> object:
    given = text(value, 60)
    return _money(given, currency) if given else None


def _money(given: str, currency: str) -> Decimal:
    match = MONEY.fullmatch(given)
    if not match:
        raise Wrong(f"“{given}” is not a price such as 12.50")
    if match["currency"]:
        _currency(match["currency"], currency)
    amount = Decimal(match["amount"])
    if not 0 <= amount < ABOVE_ALL_PRICES:
        raise Wrong(f"“{given}” is below zero or too large")
    if amount != round(amount, 2):
        raise Wrong(f"“{given}” has more than two decimals")
    return round(amount, 2)


def _currency(value: object, currency: str) -> object:
    given = text(value, 60).upper()
    if given and given != currency:
        raise Wrong(f"“{given}”, and this installation sells in {currency} (MULTIRECO_CURRENCY)")
    return given or NOT_GIVEN


def _availability(value: object, _currency: str) -> object:
    given = re.sub(r"[ -]+", "_", text(value, 100).lower())
    if given and given not in AVAILABILITY:
        raise Wrong(f"“{value}” is none of in_stock, out_of_stock, preorder")
    return AVAILABILITY.get(given, NOT_GIVEN)


def _visible(value: object, _currency: str) -> object:
    given = str(value).lower() if isinstance(value, bool) else text(value, 100).lower()
    if given and given not in TRUTH:
        raise Wrong(f"“{value}” is neither true nor false")
    return TRUTH.get(given, NOT_GIVEN)


def _address(value: object, _currency: str) -> str:
    address = text(value, 2000)
    if address and not ADDRESS.fullmatch(address):
        raise Wrong("not an address that starts with http:// or https://")
    return address


def _categories(value: object, _currency: str) -> list[str]:
    paths = [_path(part) for part in _list(value)]
    return _distinct(paths, at_most=20)


def _path(value: object) -> str:
    names = [name.strip() for name in text(value, 300).split(">")]
    if len(names) > 1 and not all(names):
        raise Wrong(f"“{value}” lacks a name beside a >")
    return " > ".join(names)


def _tags(value: object, _currency: str) -> list[str]:
    return _distinct([text(part, 60) for part in _list(value)], at_most=50)


def _list(value: object) -> list[Any]:
    """A JSON list, or the parts of a cell between upright strokes."""
    if isinstance(value, list):
        parts = value
    elif isinstance(value, str):
        parts = value.split(LIST_SEPARATOR)
    elif value is None:
        parts = []
    else:
        raise Wrong("not a list")
    return [part for part in parts if part != ""]


def _distinct(names: list[str], *, at_most: int) -> list[str]:
    distinct = list(dict.fromkeys(name for name in names if name))
    if len(distinct) > at_most:
        raise Wrong(f"{len(distinct)} entries; at most {at_most} are kept")
    return distinct


def _published_at(value: object, _currency: str) -> object:
    given = text(value, 60)
    if not given:
        return NOT_GIVEN
    try:
        moment = datetime.fromisoformat(given)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Wrong(f"“{given}” is not a time such as 2026-11-22T10:00:00Z") from None


PARSERS: Mapping[str, Callable[[object, str], object]] = {
    "id": _id,
    "title": _title,
    "description": _up_to(10_000),
    "brand": _up_to(120),
    "categories": _categories,
    "price": _price,
    "sale_price": _sale_price,
    "currency": _currency,
    "availability": _availability,
    "visible": _visible,
    "image_url": _address,
    "url": _address,
    "attributes": _attributes,
    "tags": _tags,
    "item_group_id": _up_to(64),
    "published_at": _published_at,
}
