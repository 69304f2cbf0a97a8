"""The only door to stored events. Every write here is one transaction and may run twice."""

import io
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction

from reco_app.events import days
from reco_app.events.anonymity import day_of, session_hash
from reco_app.events.models import (
    Event,
    EventId,
    ForgottenSession,
    RejectedEvent,
    RejectionCount,
    SessionKey,
)

SAMPLES_A_DAY = 100  # examples kept of each reason and day; all of them are counted


class StoredEvent(NamedTuple):
    """One row of the event table, in the order of its columns."""

    event_id: str  # 32 hexadecimal digits
    session_hash: int | None
    item_id: str
    event_type: str
    quantity: int
    price: Decimal | None
    occurred_at: datetime
    recommendation_id: str | None = None
    position: int | None = None


class Rejected(NamedTuple):
    """An event that was turned away, as far as it may be kept."""

    code: str
    detail: str
    item_id: str
    event_type: str
    occurred_at: datetime


COLUMNS = ", ".join(StoredEvent._fields)
# A name that is known already is not returned, and what is not returned is not stored again.
# Days outlive names: whoever comes back after that meets the primary key of the day.
ADD = f"""
    WITH given AS (
        SELECT * FROM unnest(
            %s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::int[], %s::numeric[],
            %s::timestamptz[], %s::text[], %s::smallint[]
        ) AS given ({COLUMNS})
    ), unknown AS (
        INSERT INTO events_eventid (event_id, received_on) SELECT event_id, %s FROM given
        ON CONFLICT DO NOTHING RETURNING event_id
    )
    INSERT INTO events_event ({COLUMNS}) SELECT {COLUMNS} FROM given JOIN unknown USING (event_id)
    WHERE NOT EXISTS (
        SELECT FROM events_forgottensession AS forgotten
        WHERE forgotten.session_hash = given.session_hash AND forgotten_at >= %s
    )
    ON CONFLICT DO NOTHING
"""
KNOWN = "INSERT INTO events_eventid (event_id, received_on) VALUES (%s, %s) ON CONFLICT DO NOTHING"
STAGE = f"""
    CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
    SELECT {COLUMNS} FROM events_event WITH NO DATA
"""
# What Python writes for None is null, but for a product that is called so.
COPY = f"""
    COPY staged ({COLUMNS}) FROM STDIN
    (FORMAT csv, DELIMITER E'\\t', NULL 'None', FORCE_NOT_NULL (item_id))
"""
LINE = "\t".join(["%s"] * len(StoredEvent._fields)) + "\n"
MOVE = f"""
    INSERT INTO events_event ({COLUMNS}) SELECT {COLUMNS} FROM staged ON CONFLICT DO NOTHING
"""
COUNT_REJECTED = """
    INSERT INTO events_rejectioncount AS counted (day, code, count) VALUES (%s, %s, %s)
    ON CONFLICT (day, code) DO UPDATE SET count = counted.count + excluded.count
    RETURNING count
"""


def session_keys(of_days: Collection[date]) -> Mapping[date, bytes]:
    """The keys of these days, made where a day has none yet."""
    keys = stored_keys(of_days)
    missing = [
        SessionKey(day=day, secret=secrets.token_bytes(32)) for day in set(of_days) - set(keys)
    ]
    if missing:
        SessionKey.objects.bulk_create(
            sorted(missing, key=lambda key: key.day), ignore_conflicts=True
        )
        keys = stored_keys(of_days)
    return keys


def stored_keys(of_days: Collection[date]) -> dict[date, bytes]:
    """The keys of those of these days that have one."""
    rows = SessionKey.objects.filter(day__in=set(of_days)).values_list("day", "secret")
    return {day: bytes(secret) for day, secret in rows}


@transaction.atomic
def add(events: Iterable[StoredEvent], *, received_at: datetime) -> int:
    """Store what came in and is not known by its name; returns how many were new.

    What came in before its session was forgotten is left out.
    """
    named = {event.event_id: event for event in events}
    if not named:
        return 0
    # One order for everybody: two batches with the same events must not wait for each other.
    columns = [list(column) for column in zip(*sorted(named.values(), key=_by_id), strict=True)]
    days.make({day_of(event.occurred_at) for event in named.values()})
    with connection.cursor() as cursor:
        cursor.execute(ADD, [*columns, day_of(received_at), received_at])
        return int(cursor.rowcount)


def is_new(name: str, *, received_at: datetime) -> bool:
    """Whether this is the first time that something of this name comes in; it is known now."""
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [name, day_of(received_at)])
        return bool(cursor.rowcount)


@transaction.atomic
def copy(events: Iterable[StoredEvent]) -> int:
    """Store a large batch of history through COPY; returns how many events were new.

    What is imported is named by its content, its time among it: the day alone knows it again.
    """
    ordered = sorted(events, key=_by_id)
    days.make({day_of(event.occurred_at) for event in ordered})
    with connection.cursor() as cursor:
        cursor.execute(STAGE)
        cursor.copy_expert(COPY, io.StringIO("".join([LINE % event for event in ordered])))
        cursor.execute(MOVE)
        return int(cursor.rowcount)


def _by_id(event: StoredEvent) -> str:
    return event.event_id


def count_rejected(rejected: Sequence[Rejected], *, now: datetime) -> None:
    """Count what was turned away, and keep the day's first examples of each reason."""
    for code in sorted({one.code for one in rejected}):
        examples = [one for one in rejected if one.code == code]
        with connection.cursor() as cursor:
            cursor.execute(COUNT_REJECTED, [now.date(), code, len(examples)])
            before = cursor.fetchone()[0] - len(examples)
        RejectedEvent.objects.bulk_create(
            RejectedEvent(**one._asdict(), received_at=now)
            for one in examples[: max(0, SAMPLES_A_DAY - before)]
        )


def forget_session(session_id: str, *, now: datetime) -> int:
    """Delete what a session did, on whichever day; returns how many events are gone.

    Events of it that are still on their way will not be stored either.
    """
    gone = 0
    keys = SessionKey.objects.order_by("day").values_list("day", "secret")
    hashes = {day: session_hash(session_id, key=bytes(secret)) for day, secret in keys}
    ForgottenSession.objects.bulk_create(
        [ForgottenSession(session_hash=hashed, forgotten_at=now) for hashed in hashes.values()],
        update_conflicts=True,
        unique_fields=["session_hash"],
        update_fields=["forgotten_at"],
    )
    for day, hashed in hashes.items():
        begin, end = days.span(day)
        of_day = Event.objects.filter(occurred_at__gte=begin, occurred_at__lt=end)
        gone += of_day.filter(session_hash=hashed).delete()[0]
    return gone


@transaction.atomic
def expire(before: date) -> None:
    """Delete what is kept of the time before this day beside the events themselves."""
    midnight, _ = days.span(before)
    SessionKey.objects.filter(day__lt=before).exclude(day__in=days.stored()).delete()
    RejectedEvent.objects.filter(received_at__lt=midnight).delete()
    RejectionCount.objects.filter(day__lt=before).delete()
    ForgottenSession.objects.filter(forgotten_at__lt=midnight).delete()


def forget_names(before: date) -> None:
    """Events that came in before this day are no longer known by their names."""
    EventId.objects.filter(received_on__lt=before).delete()
