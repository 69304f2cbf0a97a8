"""The only door to stored events. Every write here is one transaction and may run twice."""

import io
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction

from reco_app.events.anonymity import session_hash
from reco_app.events.models import Event, RejectedEvent, RejectionCount, SessionKey

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
ADD = f"""
    INSERT INTO events_event ({COLUMNS})
    SELECT * FROM unnest(
        %s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::int[], %s::numeric[],
        %s::timestamptz[], %s::text[], %s::smallint[]
    )
    ON CONFLICT (event_id) DO NOTHING
"""
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
    INSERT INTO events_event ({COLUMNS}) SELECT {COLUMNS} FROM staged
    ON CONFLICT (event_id) DO NOTHING
"""
COUNT_REJECTED = """
    INSERT INTO events_rejectioncount AS counted (day, code, count) VALUES (%s, %s, %s)
    ON CONFLICT (day, code) DO UPDATE SET count = counted.count + excluded.count
    RETURNING count
"""


def session_keys(days: Collection[date]) -> Mapping[date, bytes]:
    """The keys of these days, made where a day has none yet."""
    keys = _stored_keys(days)
    missing = [SessionKey(day=day, secret=secrets.token_bytes(32)) for day in set(days) - set(keys)]
    if missing:
        SessionKey.objects.bulk_create(
            sorted(missing, key=lambda key: key.day), ignore_conflicts=True
        )
        keys = _stored_keys(days)
    return keys


def _stored_keys(days: Collection[date]) -> dict[date, bytes]:
    rows = SessionKey.objects.filter(day__in=set(days)).values_list("day", "secret")
    return {day: bytes(secret) for day, secret in rows}


def add(events: Iterable[StoredEvent]) -> int:
    """Store a small batch; returns how many were new."""
    # One order for everybody: two batches with the same events must not wait for each other.
    columns = [list(column) for column in zip(*sorted(events, key=_by_id), strict=True)]
    if not columns:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(ADD, columns)
        return int(cursor.rowcount)


def copy(events: Iterable[StoredEvent]) -> int:
    """Store a large batch through COPY; returns how many were new."""
    lines = "".join([LINE % event for event in sorted(events, key=_by_id)])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(STAGE)
        cursor.copy_expert(COPY, io.StringIO(lines))
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


def forget_session(session_id: str) -> int:
    """Delete what a session did, on whichever day; returns how many events are gone."""
    secrets_ = SessionKey.objects.values_list("secret", flat=True)
    hashes = [session_hash(session_id, key=bytes(secret)) for secret in secrets_]
    return Event.objects.filter(session_hash__in=hashes).delete()[0]


@transaction.atomic
def expire(before: date) -> int:
    """Delete all events before this day, with the keys of their sessions; returns how many."""
    midnight = datetime.combine(before, time.min, UTC)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_event WHERE occurred_at < %s", [midnight])
        expired = int(cursor.rowcount)
    SessionKey.objects.filter(day__lt=before).delete()
    RejectedEvent.objects.filter(received_at__lt=midnight).delete()
    RejectionCount.objects.filter(day__lt=before).delete()
    return expired
