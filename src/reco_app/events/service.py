"""What becomes of events as they come in: turned away with a reason, or stored for good."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

from django.conf import settings
from django.db import transaction

from reco_app.curation import store as curation
from reco_app.events import (
    attribution,
    caps,
    effect,
    forgetting,
    hash_keys,
    heard,
    messages,
    quarantine,
    senders,
    store,
    stream,
)
from reco_app.events.anonymity import day_of, event_digest, hour_of, session_hash
from reco_app.events.contracts import (
    CLOCK_SKEW,
    EVENT_TYPES,
    OLDEST,
    Batch,
    Event,
    Receipt,
    Rejection,
    RejectionCode,
)
from reco_app.events.messages import Delivery
from reco_app.events.senders import Origin, Sender
from reco_app.settings import current


def receive(batch: Batch, *, consented: bool, origin: Origin, now: datetime) -> Receipt:
    """Store a batch in one transaction; what is accepted is durable when this returns."""
    known = curation.known_item_ids({event.item_id for event in batch.events})
    taken, rejected = sorted_out(batch, known, now=now)
    keys = hash_keys.session_keys(days_of(taken, now=now)) if consented else {}
    hour = hour_of(now)
    sender = origin.hashed(senders.keys_of([hour])[hour])
    delivery = delivered(
        batch, taken, rejected, keys=keys, consented=consented, sender=sender, now=now
    )
    with effect.awaited(delivery):
        accepted = keep(delivery)
    return Receipt(accepted, len(taken) - accepted, rejected)


@transaction.atomic
def keep(delivery: Delivery) -> int:
    """Store a delivery, which may have come before; returns how many events were new.

    What is beyond the caps of its senders is set aside, and not told to them.
    """
    received_at = delivery.received_at
    if delivery.rejected and store.is_new(delivery.name, received_at=received_at):
        store.count_rejected(delivery.rejected, now=received_at)
    sender_of = {event.event_id: sender for sender, event in delivery.sent()}
    heard.take_turns(sender.hash for sender in set(sender_of.values()) if not sender.keyed)
    new = store.take(delivery.events, received_at=received_at)
    sent = [(sender_of[event.event_id], event) for event in new]
    kept, held = caps.sorted_out(sent, now=received_at)
    quarantine.hold(held)
    added = store.add(kept)
    caps.look_back(sent, now=received_at)
    transaction.on_commit(
        partial(stream.tell, delivery.events, now=received_at, delivery=delivery.name)
    )
    return added + len(held)


@transaction.atomic
def forget(session_id: str, *, now: datetime) -> int:
    """Delete what a session did, on every day that still has its key; returns how many events.

    Events of it that are still on their way will not be stored either.
    """
    forgetting.alone()
    hashes = forgetting.hashes_of(session_id)
    held = quarantine.forget_sessions(hashes.values())
    heard.forget_sessions(hashes.values())
    transaction.on_commit(partial(stream.tell_gone, hashes.values()))
    return held + forgetting.forget(hashes, now=now)


def sorted_out(
    batch: Batch, known: Collection[str], *, now: datetime
) -> tuple[list[Event], list[Rejection]]:
    """The events that are taken, and why the others are not."""
    rejected = _rejections(batch, known, now)
    turned_away = {rejection.index for rejection in rejected}
    taken = [event for index, event in enumerate(batch.events) if index not in turned_away]
    return taken, rejected


def days_of(events: Iterable[Event], *, now: datetime) -> set[date]:
    """The days whose keys hash the sessions of these events."""
    return {day_of(event.timestamp or now) for event in events}


def delivered(
    batch: Batch,
    taken: Iterable[Event],
    rejected: Iterable[Rejection],
    *,
    keys: Mapping[date, bytes],
    consented: bool,
    sender: Sender,
    now: datetime,
) -> Delivery:
    """What is stored of a batch. Without consent neither session nor recommendation is."""
    taken = list(taken)
    forged = _forged(taken, now=now) if consented else []
    return messages.new(
        events=_stored(taken, keys=keys, consented=consented, forged=forged, now=now),
        rejected=[*_kept(batch, rejected, now), *(_unattributed(event, now) for event in forged)],
        sender=sender,
        received_at=now,
    )


def _forged(events: Iterable[Event], *, now: datetime) -> list[Event]:
    """Those that name an answer which we never gave, or not then."""
    return [
        event
        for event in events
        if event.recommendation_id
        and not attribution.genuine(event.recommendation_id, at=event.timestamp or now)
    ]


def _rejections(batch: Batch, known: Collection[str], now: datetime) -> list[Rejection]:
    reasons = ((index, _reason(event, known, now)) for index, event in enumerate(batch.events))
    return [Rejection(index, *reason) for index, reason in reasons if reason]


def _reason(
    event: Event, known: Collection[str], now: datetime
) -> tuple[RejectionCode, str] | None:
    """Why this event is turned away, as code and detail; None if it is not."""
    if event.event_type not in EVENT_TYPES:
        return "unknown-event-type", f"An event type is one of {', '.join(EVENT_TYPES)}."
    if event.item_id not in known:
        return "unknown-item", "The catalogue has no product with this item_id."
    if event.timestamp and event.timestamp > now + CLOCK_SKEW:
        return "timestamp-in-future", "The timestamp is more than 5 minutes ahead of our clock."
    if event.timestamp and event.timestamp < now - _oldest():
        return "timestamp-too-old", "The timestamp is too long ago; import history instead."
    return None


def _oldest() -> timedelta:
    """No event comes in for a day that has expired, or may have by the time it is stored: one such
    event would keep all that is stored with it."""
    return min(OLDEST, timedelta(days=current().event_retention_days - 1) + CLOCK_SKEW)


def _stored(
    events: Iterable[Event],
    *,
    keys: Mapping[date, bytes],
    consented: bool,
    forged: Collection[Event],
    now: datetime,
) -> list[store.StoredEvent]:
    name_key = settings.SECRET_KEY.encode()[:64]
    unattributed = {event.event_id for event in forged}
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
            recommendation_id=event.recommendation_id
            if consented and event.event_id not in unattributed
            else None,
            position=event.position,
        )
        for event in events
        for moment in [event.timestamp or now]
    ]


def _kept(batch: Batch, rejected: Iterable[Rejection], now: datetime) -> list[store.Rejected]:
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


def _unattributed(event: Event, now: datetime) -> store.Rejected:
    return store.Rejected(
        code="forged-recommendation",
        detail="The event counts, but this recommendation was never given.",
        item_id=event.item_id,
        event_type=event.event_type,
        occurred_at=_in_utc(event.timestamp or now),
    )


def _in_utc(moment: datetime) -> datetime:
    """PostgreSQL knows no zones as far from UTC as a sender may write; at the calendar's ends
    there is no moment in UTC to move to."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)
