"""What crosses the wire when events come in."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

EVENT_TYPES = ("view", "click", "add-to-cart", "remove-from-cart", "purchase", "impression")
CLOCK_SKEW = timedelta(minutes=5)  # how far a sender's clock may be from ours
OLDEST = timedelta(days=7)  # history comes in through imports
# Python's `$` also matches before a last line feed; the look-ahead closes that door.
ITEM_ID = r"^[A-Za-z0-9._~-]{1,64}$(?!\n)"
MONEY = r"^[0-9]{1,9}(\.[0-9]{1,4})?$(?!\n)"
RECOMMENDATION_ID = r"^[A-Za-z0-9._:~=-]{1,512}$(?!\n)"

LONGEST_SESSION_ID = 64

EventId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="Random, made by the sender: what comes twice within seven days counts once.",
    ),
]
# Text and no Literal: a type of a newer page costs its own event, and not the whole batch.
EventType = Annotated[
    str,
    Meta(
        description="An event of another type is rejected, the rest of its batch is taken.",
        extra_json_schema={"enum": list(EVENT_TYPES)},
    ),
]
SessionId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LONGEST_SESSION_ID,
        description="Random, of one visit; dropped without consent, and stored as a hash.",
    ),
]
ItemId = Annotated[str, Meta(pattern=ITEM_ID)]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]
Position = Annotated[int, Meta(ge=1, le=1000, description="The product's place in that answer.")]
RecommendationId = Annotated[
    str,
    Meta(
        pattern=RECOMMENDATION_ID,
        description="Of the answer that showed the product, as it was told; dropped without "
        "consent, or if no such answer was given within seven days before.",
    ),
]
Price = Annotated[str, Meta(pattern=MONEY, description="Of one piece, as 10.95.")]
Timestamp = Annotated[
    datetime,
    Meta(
        tz=True,
        description="RFC 3339 with its offset; at most "
        f"{CLOCK_SKEW.seconds // 60} minutes ahead and {OLDEST.days} days ago.",
    ),
]
RejectionCode = Literal[
    "unknown-event-type", "unknown-item", "timestamp-in-future", "timestamp-too-old"
]


class Event(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One thing a shopper did. Without a timestamp it happened when it arrived."""

    event_id: EventId
    event_type: EventType
    item_id: ItemId
    session_id: SessionId | None = None
    quantity: Quantity = 1
    price: Price | None = None
    timestamp: Timestamp | None = None
    recommendation_id: RecommendationId | None = None
    position: Position | None = None


class Batch(Struct, forbid_unknown_fields=True, frozen=True):
    """1 to 100 events; `consent` says that the shopper agreed to sessions being counted."""

    events: Annotated[list[Event], Meta(min_length=1, max_length=100)]
    consent: bool = False


class Rejection(Struct, frozen=True):
    """Why the event at `index` of the batch was not taken."""

    index: int
    code: RejectionCode
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
