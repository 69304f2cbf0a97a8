"""The cacheable form of a request: its query string, in which every parameter has its name.

`item` is `[type:]id[*quantity]`; parameters that repeat keep their order.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

from reco_app.serving import parsing
from reco_app.serving.contracts import Request
from runtime.problems import FieldError, Problem

MOST_PARAMETERS = 400
_ITEM = re.compile(r"(?:(?P<type>[^:*]*):)?(?P<id>[^:*]*)(?:\*(?P<quantity>[0-9]{1,5}))?")
_TRUTH = {"true": True, "false": False}


def request_of(query_string: str) -> Request:
    """Raises Problem invalid-fields that names the parameter, as in ?count."""
    given = _given(query_string)
    document: dict[str, Any] = {}
    for name, values in given.items():
        if name not in PARAMETERS:
            raise parsing.invalid(FieldError(f"?{name}", _unknown(name)))
        path, read = PARAMETERS[name]
        target = document
        for step in path[:-1]:
            target = target.setdefault(step, {})
        target[path[-1]] = read(name, values)
    with naming_parameters():
        return parsing.convert(document, shape=Request)


@contextmanager
def naming_parameters() -> Iterator[None]:
    """Let a problem found within point at parameters instead of fields of a body."""
    try:
        yield
    except Problem as problem:
        if not problem.errors:
            raise
        raise parsing.invalid(*map(_as_parameter, problem.errors)) from problem


def _given(query_string: str) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(
            query_string,
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError as error:
        raise Problem("invalid-fields", f"The query string cannot be read: {error}.") from error
    given = defaultdict(list)
    for name, value in pairs:
        given[name].append(value)
    return given


def _unknown(name: str) -> str:
    if name in ("session_id", "consent"):
        return f"“{name}” never goes into an address, which is cached and logged: use POST."
    return f"There is no parameter “{name}”. Known: {', '.join(PARAMETERS)}."


def _as_parameter(error: FieldError) -> FieldError:
    for name, (path, _) in PARAMETERS.items():
        if error.pointer.startswith("/" + "/".join(path)):
            return FieldError(f"?{name}", error.detail)
    return error


def _items(name: str, values: list[str]) -> list[dict[str, Any]]:
    return [_item(name, value) for value in values]


def _item(name: str, value: str) -> dict[str, Any]:
    parts = _ITEM.fullmatch(value)
    if parts is None:
        detail = f"“{value}” is not an item: write id, type:id or type:id*quantity."
        raise parsing.invalid(FieldError(f"?{name}", detail))
    item: dict[str, Any] = {"item_id": parts["id"]}
    if parts["type"] is not None:
        item["event_type"] = parts["type"]
    if parts["quantity"] is not None:
        item["quantity"] = int(parts["quantity"])
    return item


def _many(name: str, values: list[str]) -> list[str]:
    return values


def _one(name: str, values: list[str]) -> str:
    if len(values) > 1:
        raise parsing.invalid(FieldError(f"?{name}", f"“{name}” is given {len(values)} times."))
    return values[0]


def _comma_list(name: str, values: list[str]) -> list[str]:
    return [entry for value in values for entry in value.split(",")]


def _whole(name: str, values: list[str]) -> int:
    value = _one(name, values)
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise parsing.invalid(FieldError(f"?{name}", f"“{value}” is not a whole number."))
    return int(value)


def _fraction(name: str, values: list[str]) -> float:
    value = _one(name, values)
    if not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", value):
        raise parsing.invalid(FieldError(f"?{name}", f"“{value}” is not a number from 0 to 1."))
    return float(value)


def _truth(name: str, values: list[str]) -> bool:
    value = _one(name, values)
    if value not in _TRUTH:
        raise parsing.invalid(FieldError(f"?{name}", f"“{value}” is neither true nor false."))
    return _TRUTH[value]


# Parameter → where it stands in the body of a POST, and how it is read.
PARAMETERS: dict[str, tuple[tuple[str, ...], Callable[[str, list[str]], Any]]] = {
    "scenario": (("scenario",), _one),
    "item": (("items",), _items),
    "count": (("count",), _whole),
    "profile": (("profile",), _one),
    "category": (("filter", "category"), _many),
    "brand": (("filter", "brand"), _many),
    "price_min": (("filter", "price_min"), _one),
    "price_max": (("filter", "price_max"), _one),
    "in_stock": (("filter", "in_stock"), _truth),
    "budget": (("budget", "remaining"), _one),
    "free_shipping_gap": (("budget", "free_shipping_gap"), _one),
    "exclude_ids": (("exclude_ids",), _comma_list),
    "diversity": (("diversity",), _fraction),
    "fields": (("fields",), _comma_list),
    "include_context": (("include_context",), _truth),
}
