"""The only door to stored events. Every write here is one transaction and may run twice."""

import io
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction

from reco_app.events import days, forgetting
from reco_app.events.anonymity import day_of
from reco_app.events.models import (
    EventId,
    ForgottenSession,
    RejectedEvent,
    RejectionCount,
    SessionKey,
)

# Machines whose clocks are kept are milliseconds apart, and seconds while one starts. Whoever comes
# back so soon after being forgotten loses an event; too little would store what is to be forgotten.
CLOCKS_DIFFER = timedelta(seconds=5)
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
# One session after the other, and without the day's end: of its first events PostgreSQL knows too
# little to see that the index by session is worth it, and would read the whole day for every batch.
IMPOSSIBLE = """
    SELECT session, max(looked_at) > %s FROM unnest(%s::bigint[]) AS session CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE event_type <> 'impression') AS done,
               count(DISTINCT item_id) FILTER (WHERE event_type IN ('view', 'click')) AS looked_at
        FROM events_event
        WHERE session_hash = session AND occurred_at >= %s
        GROUP BY date_trunc('minute', occurred_at)
    ) AS minutes
    GROUP BY session HAVING max(looked_at) > %s OR sum(done) > %s
"""
COUNT_REJECTED = """
    INSERT INTO events_rejectioncount AS counted (day, code, count) VALUES (%s, %s, %s)
    ON CONFLICT (day, code) DO UPDATE SET count = counted.count + excluded.count
    RETURNING count
"""


def take(events: Iterable[StoredEvent], *, received_at: datetime) -> list[StoredEvent]:
    """Those of these that are not known by their names; they are from now on.

    What came in before its session was forgotten is left out, by whichever machine's clock. The
    caller's transaction stores them.
    """
    named = {event.event_id: event for event in events}
    # One order for everybody: two batches with the same events must not wait for each other.
    names = sorted(named)
    hashes = [named[name].session_hash for name in names]
    forgetting.wait()
    with connection.cursor() as cursor:
        since = received_at - CLOCKS_DIFFER
        cursor.execute(TAKE, [names, hashes, day_of(received_at), since])
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
    did more in all (false), what was only shown not counted; `moments` are times of the days that
    they are of."""
    if not sessions:
        return []
    begin, _ = days.span(day_of(min(moments)))
    with connection.cursor() as cursor:
        cursor.execute(IMPOSSIBLE, [looked_at, list(sessions), begin, looked_at, events])
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
