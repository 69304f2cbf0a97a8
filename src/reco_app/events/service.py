"""What becomes of events as they come in: turned away with a reason, or stored for good."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from reco_app.curation import store as curation
from reco_app.events import store
from reco_app.events.anonymity import day_of, event_digest, session_hash
from reco_app.events.contracts import EVENT_TYPES, Batch, Event, Receipt, Rejection
from reco_app.settings import current

CLOCK_SKEW = timedelta(minutes=5)  # how far a sender's clock may be ahead of ours
OLDEST = timedelta(days=7)  # history comes in through imports


def receive(batch: Batch, *, consented: bool, now: datetime) -> Receipt:
    """Store a batch in one transaction; what is accepted is durable when this returns.

    Without consent neither session nor recommendation is kept.
    """
    with transaction.atomic():
        known = curation.known_item_ids({event.item_id for event in batch.events})
        rejected = _rejections(batch, known, now)
        turned_away = {rejection.index for rejection in rejected}
        taken = [event for index, event in enumerate(batch.events) if index not in turned_away]
        accepted = store.add(_stored(taken, consented=consented, now=now), now=now)
        store.count_rejected(_kept(batch, rejected, now), now=now)
    return Receipt(accepted, len(taken) - accepted, rejected)


def _rejections(batch: Batch, known: Collection[str], now: datetime) -> list[Rejection]:
    reasons = ((index, _reason(event, known, now)) for index, event in enumerate(batch.events))
    return [Rejection(index, *reason) for index, reason in reasons if reason]


def _reason(event: Event, known: Collection[str], now: datetime) -> tuple[str, str] | None:
    """Why this event is turned away, as code and detail; None if it is not."""
    if event.event_type not in EVENT_TYPES:
        return "unknown-event-type", f"An event type is one of {', '.join(EVENT_TYPES)}."
    if event.item_id not in known:
        return "unknown-item", "The catalogue has no product with this item_id."
    if event.timestamp and event.timestamp > now + CLOCK_SKEW:
        return "timestamp-in-future", "The timestamp is more than 5 minutes ahead of our clock."
    if event.timestamp and event.timestamp < now - _oldest():
        return "timestamp-too-old", "The timestamp is older than 7 days; import history instead."
    return None


def _oldest() -> timedelta:
    """No event comes in for a day that has expired."""
    return min(OLDEST, timedelta(days=current().event_retention_days))


def _stored(events: list[Event], *, consented: bool, now: datetime) -> list[store.StoredEvent]:
    moments = [event.timestamp or now for event in events]
    keys = store.session_keys({day_of(moment) for moment in moments})
    name_key = settings.SECRET_KEY.encode()[:64]
    return [
        store.StoredEvent(
            event_id=event_digest(event.event_id, key=name_key),
            session_hash=session_hash(event.session_id, key=keys[day_of(moment)])
            if consented and event.session_id
            else None,
            item_id=event.item_id,
            event_type=event.event_type,
            quantity=event.quantity,
            price=Decimal(event.price) if event.price else None,
            occurred_at=moment.astimezone(UTC),
            recommendation_id=event.recommendation_id if consented else None,
            position=event.position,
        )
        for event, moment in zip(events, moments, strict=True)
    ]


def _kept(batch: Batch, rejected: list[Rejection], now: datetime) -> list[store.Rejected]:
    """What may be kept of rejected events; a type we do not know is free text, and left out."""
    return [
        store.Rejected(
            code=rejection.code,
            detail=rejection.detail,
            item_id=event.item_id,
            event_type=event.event_type if event.event_type in EVENT_TYPES else "",
            occurred_at=_in_utc(event.timestamp or now),
        )
        for rejection in rejected
        for event in [batch.events[rejection.index]]
    ]


def _in_utc(moment: datetime) -> datetime:
    """PostgreSQL knows no zones as far from UTC as a sender may write; at the calendar's ends
    there is no moment in UTC to move to."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)
