"""The only door to stored events. Every write here is one transaction and may run twice."""

import io
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, cast

from django.db import connection, transaction
from django.db.models import Max

from reco_app.events import days
from reco_app.events.anonymity import day_of, session_hash
from reco_app.events.models import (
    Event,
    EventId,
    ForgottenSession,
    RejectedEvent,
    RejectionCount,
    SenderKey,
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
TAKE = """
    WITH given AS (
        SELECT * FROM unnest(%s::uuid[], %s::bigint[]) AS given (event_id, session_hash)
    ), unknown AS (
        INSERT INTO events_eventid (event_id, received_on) SELECT event_id, %s FROM given
        ON CONFLICT DO NOTHING RETURNING event_id
    )
    SELECT event_id FROM given JOIN unknown USING (event_id)
    WHERE NOT EXISTS (
        SELECT FROM events_forgottensession AS forgotten
        WHERE forgotten.session_hash = given.session_hash AND forgotten_at >= %s
    )
"""
ADD = f"""
    INSERT INTO events_event ({COLUMNS})
    SELECT * FROM unnest(
        %s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::int[], %s::numeric[],
        %s::timestamptz[], %s::text[], %s::smallint[]
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
IMPOSSIBLE = """
    SELECT session_hash, max(looked_at) > %s FROM (
        SELECT session_hash, count(*) AS events,
               count(DISTINCT item_id) FILTER (WHERE event_type IN ('view', 'click')) AS looked_at
        FROM events_event
        WHERE session_hash = ANY(%s) AND occurred_at >= %s AND occurred_at < %s
        GROUP BY session_hash, date_trunc('minute', occurred_at)
    ) AS minutes
    GROUP BY session_hash HAVING max(looked_at) > %s OR sum(events) > %s
"""
# Whoever stores holds the lock together with others; whoever forgets a session holds it alone.
FORGET_LOCK = int.from_bytes(b"forget", "big")
FORGETTING_WAITS = "SELECT pg_advisory_xact_lock_shared(%s)"
FORGET_ALONE = "SELECT pg_advisory_xact_lock(%s)"
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


def take(events: Iterable[StoredEvent], *, received_at: datetime) -> list[StoredEvent]:
    """Those of these that are not known by their names; they are from now on.

    What came in before its session was forgotten is left out. The caller's transaction stores
    them.
    """
    named = {event.event_id: event for event in events}
    # One order for everybody: two batches with the same events must not wait for each other.
    names = sorted(named)
    hashes = [named[name].session_hash for name in names]
    wait_for_forgetting()
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [names, hashes, day_of(received_at), received_at])
        return [named[name.hex] for (name,) in cursor.fetchall()]


@transaction.atomic
def add(events: Sequence[StoredEvent]) -> int:
    """Store these events; returns how many of them their days did not have."""
    if not events:
        return 0
    ordered = sorted(events, key=_by_id)
    days.make({day_of(event.occurred_at) for event in ordered})
    with connection.cursor() as cursor:
        cursor.execute(ADD, [list(column) for column in zip(*ordered, strict=True)])
        return int(cursor.rowcount)


def impossible_sessions(
    sessions: Collection[int], *, moments: Collection[datetime], looked_at: int, events: int
) -> list[tuple[int, bool]]:
    """Those of these sessions that looked at more different products within one minute (true), or
    have more events in all (false); `moments` are times of the days that they are of."""
    if not sessions:
        return []
    begin, end = days.span(day_of(min(moments)))[0], days.span(day_of(max(moments)))[1]
    with connection.cursor() as cursor:
        cursor.execute(IMPOSSIBLE, [looked_at, list(sessions), begin, end, looked_at, events])
        return list(cursor.fetchall())


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


def hashes_of(session_id: str) -> dict[date, int]:
    """What a session is called on every day that still has its key."""
    keys = SessionKey.objects.order_by("day").values_list("day", "secret")
    return {day: session_hash(session_id, key=bytes(secret)) for day, secret in keys}


def wait_for_writers() -> None:
    """Until this transaction ends, nobody stores anything."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET_ALONE, [FORGET_LOCK])


def wait_for_forgetting() -> None:
    """Until this transaction ends, no session is forgotten."""
    with connection.cursor() as cursor:
        cursor.execute(FORGETTING_WAITS, [FORGET_LOCK])


@transaction.atomic
def forget_sessions(hashes: Mapping[date, int], *, now: datetime) -> int:
    """Delete what these sessions did on their days; returns how many events are gone.

    Events of them that are still on their way will not be stored either.
    """
    ForgottenSession.objects.bulk_create(
        [ForgottenSession(session_hash=hashed, forgotten_at=now) for hashed in hashes.values()],
        update_conflicts=True,
        unique_fields=["session_hash"],
        update_fields=["forgotten_at"],
    )
    gone = 0
    for day, hashed in hashes.items():
        begin, end = days.span(day)
        of_day = Event.objects.filter(occurred_at__gte=begin, occurred_at__lt=end)
        gone += of_day.filter(session_hash=hashed).delete()[0]
    return gone


def sender_keys(hours: Collection[datetime]) -> dict[datetime, bytes]:
    """The keys of those of these hours that have one."""
    rows = SenderKey.objects.filter(hour__in=set(hours)).values_list("hour", "secret")
    return {hour: bytes(secret) for hour, secret in rows}


def make_sender_keys(hours: Collection[datetime]) -> None:
    """Make the keys that these hours lack."""
    SenderKey.objects.bulk_create(
        [SenderKey(hour=hour, secret=secrets.token_bytes(32)) for hour in sorted(hours)],
        ignore_conflicts=True,
    )


def last_forgotten() -> datetime | None:
    """When a session was last forgotten, as far as that is still known."""
    newest = ForgottenSession.objects.aggregate(Max("forgotten_at"))
    return cast("datetime | None", newest["forgotten_at__max"])


def destroy_sender_keys(before: datetime) -> int:
    """Returns how many there were."""
    return int(SenderKey.objects.filter(hour__lt=before).delete()[0])


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
