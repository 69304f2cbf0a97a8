"""What crosses the wire when events come in."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

EVENT_TYPES = ("view", "click", "add-to-cart", "remove-from-cart", "purchase", "impression")
# Python's `$` also matches before a last line feed; the look-ahead closes that door.
ITEM_ID = r"^[A-Za-z0-9._~-]{1,64}$(?!\n)"
MONEY = r"^[0-9]{1,9}(\.[0-9]{1,4})?$(?!\n)"
RECOMMENDATION_ID = r"^[A-Za-z0-9._:~=-]{1,512}$(?!\n)"

LONGEST_SESSION_ID = 64

EventId = Annotated[str, Meta(min_length=1, max_length=64)]
SessionId = Annotated[str, Meta(min_length=1, max_length=LONGEST_SESSION_ID)]
ItemId = Annotated[str, Meta(pattern=ITEM_ID)]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]
Position = Annotated[int, Meta(ge=1, le=1000)]
RecommendationId = Annotated[str, Meta(pattern=RECOMMENDATION_ID)]
Price = Annotated[str, Meta(pattern=MONEY)]


class Event(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One thing a shopper did. Without a timestamp it happened when it arrived."""

    event_id: EventId
    event_type: str
    item_id: ItemId
    session_id: SessionId | None = None
    quantity: Quantity = 1
    price: Price | None = None
    timestamp: Annotated[datetime, Meta(tz=True)] | None = None
    recommendation_id: RecommendationId | None = None
    position: Position | None = None


class Batch(Struct, forbid_unknown_fields=True, frozen=True):
    """1 to 100 events; `consent` says that the shopper agreed to sessions being counted."""

    events: Annotated[list[Event], Meta(min_length=1, max_length=100)]
    consent: bool = False


class Rejection(Struct, frozen=True):
    """Why the event at `index` of the batch was not taken."""

    index: int
    code: str
    detail: str


class Receipt(Struct, frozen=True):
    """What became of a batch: accepted events are durable, duplicates were known before."""

    accepted: int
    duplicates: int
    rejected: list[Rejection]


class BadRow(Struct, frozen=True):
    """A row of a feed that was left out; `column` is null where the whole row cannot be read."""

    line: int
    column: str | None
    detail: str


class ImportSummary(Struct, frozen=True):
    """What became of a feed; `bad_rows` holds the first hundred of `rejected`."""

    rows: int
    accepted: int
    duplicates: int
    rejected: int
    bad_rows: list[BadRow]
