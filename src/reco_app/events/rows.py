"""One row of an event log: checked value by value, each fault named by its column."""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from reco_app.events.anonymity import day_of
from reco_app.events.contracts import CLOCK_SKEW, EVENT_TYPES, ITEM_ID

MOST_QUANTITY = 1_000_000
MOST_PRICE = Decimal(10) ** 9
MILLISECONDS_FROM = 100_000_000_000  # numbers above are milliseconds, as in JavaScript
_item_id = re.compile(ITEM_ID)


class BadValue(Exception):
    """A value that no event can have."""

    def __init__(self, column: str, detail: str) -> None:
        super().__init__(detail)
        self.column = column
        self.detail = detail


class ImportedEvent(NamedTuple):
    """A row that was found good; `day` is the UTC day of `occurred_at`."""

    session_id: str
    item_id: str
    occurred_at: datetime
    day: date
    event_type: str
    quantity: int
    price: Decimal | None


def read_row(
    values: tuple[Any, ...], *, now: datetime, closed: Collection[date] = ()
) -> ImportedEvent:
    """Values in the order of feeds.COLUMNS, empty where missing. Raises BadValue.

    Of a `closed` day it can no longer be told which events are known.
    """
    session_id, item_id, timestamp, event_type, quantity, price = map(_text, values)
    if not 1 <= len(session_id) <= 64 or "\ufffd" in session_id:
        raise BadValue("session_id", "A session id is 1 to 64 characters of UTF-8.")
    if not _item_id.match(item_id):
        raise BadValue("item_id", "An item id is 1 to 64 characters of A-Z a-z 0-9 . _ ~ -")
    occurred_at, day = _moment(timestamp)
    if occurred_at > now + CLOCK_SKEW:
        raise BadValue("timestamp", "The time lies in the future.")
    if day in closed:
        raise BadValue("timestamp", "This day's events have expired, and it takes no more.")
    if (event_type := event_type or "view") not in EVENT_TYPES:
        raise BadValue("event_type", f"An event type is one of {', '.join(EVENT_TYPES)}.")
    return ImportedEvent(
        session_id, item_id, occurred_at, day, event_type, _quantity(quantity), _price(price)
    )


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@lru_cache(maxsize=4096)  # the lines of a basket share their time
def _moment(text: str) -> tuple[datetime, date]:
    try:
        if text.isdecimal():
            number = int(text)
            seconds = number / 1000 if number >= MILLISECONDS_FROM else number
            moment = datetime.fromtimestamp(seconds, UTC)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        raise BadValue("timestamp", "A time is written as 2026-11-22T09:30:00Z.") from None
    return moment, day_of(moment)


@lru_cache(maxsize=4096)
def _quantity(text: str) -> int:
    if not text:
        return 1
    if not text.isdecimal() or len(text) > 7 or not 1 <= int(text) <= MOST_QUANTITY:
        raise BadValue("quantity", "A quantity is a whole number from 1 to 1000000.")
    return int(text)


@lru_cache(maxsize=4096)
def _price(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal(-1)
    if not (price.is_finite() and 0 <= price < MOST_PRICE):
        raise BadValue("price", "A price is a decimal number, such as 10.95.")
    return price.quantize(Decimal("0.01"))
