"""Events on their way to storage: what intake has taken, as it lies in the queue.

Session ids and who sent them are hashed before they get here: the broker never holds either.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from msgspec import Struct, json

from reco_app.events.senders import Sender
from reco_app.events.store import Rejected, StoredEvent


class Source(Struct, frozen=True, gc=False, array_like=True):
    """Who sent the next so many events of a delivery."""

    sender: Sender
    events: int


class Delivery(Struct, frozen=True, gc=False):
    """One or several batches; `name` is of the delivery, which may arrive more than once."""

    name: str
    received_at: datetime
    events: list[StoredEvent]
    rejected: list[Rejected]
    sources: list[Source]

    def sent(self) -> list[tuple[Sender, StoredEvent]]:
        """Each event with its sender."""
        senders = [source.sender for source in self.sources for _ in range(source.events)]
        return list(zip(senders, self.events, strict=True))


_decoder = json.Decoder(Delivery)


def new(
    *,
    events: list[StoredEvent],
    rejected: list[Rejected],
    sender: Sender,
    received_at: datetime,
) -> Delivery:
    sources = [Source(sender, len(events))]
    return Delivery(uuid4().hex, received_at, events, rejected, sources)


def joined(deliveries: Sequence[Delivery]) -> Delivery:
    """One delivery of all of these, named and timed as the first."""
    first, *others = deliveries
    if not others:
        return first
    return Delivery(
        first.name,
        first.received_at,
        [event for delivery in deliveries for event in delivery.events],
        [event for delivery in deliveries for event in delivery.rejected],
        [source for delivery in deliveries for source in delivery.sources],
    )


def encode(delivery: Delivery) -> str:
    return json.encode(delivery).decode()


def decode(text: str) -> Delivery:
    """Raises msgspec.DecodeError for what `encode` has not written."""
    return _decoder.decode(text)
