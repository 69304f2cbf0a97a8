"""Who sent what within the hour: enough to count by, and deleted after it.

Senders are hashes whose key lives an hour. Nothing here outlives them by more than another one.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from reco_app.events.models import HeardEvent, KeyTally
from reco_app.events.store import StoredEvent

LEARNED = ("view", "click", "add-to-cart", "purchase")  # what training counts
# One order for everybody, for as long as the transaction: what a sender sent is counted in turn.
LOCK = "SELECT pg_advisory_xact_lock(sender) FROM unnest(%s::bigint[]) AS sender"
COUNT = "SELECT sender, count(*) FROM events_heardevent WHERE sender = ANY(%s) GROUP BY sender"
TALLY = "SELECT sender, events FROM events_keytally WHERE sender = ANY(%s)"
ADD_TALLY = """
    INSERT INTO events_keytally AS tally (sender, events, counted_at)
    SELECT *, %s FROM unnest(%s::bigint[], %s::bigint[])
    ON CONFLICT (sender) DO UPDATE SET events = tally.events + excluded.events
"""
RECORD = """
    INSERT INTO events_heardevent
        (sender, session_hash, item_id, learned, event_id, occurred_at, heard_at)
    SELECT *, %s FROM unnest(
        %s::bigint[], %s::bigint[], %s::text[], %s::bool[], %s::uuid[], %s::timestamptz[])
"""
# A session is one voice, and so is an event that has none.
VOICES = "count(DISTINCT session_hash) + count(*) FILTER (WHERE session_hash IS NULL)"
BURSTS = f"""
    WITH asked AS (SELECT * FROM unnest(%s::bigint[], %s::text[]) AS asked (sender, item_id)),
    all_voices AS (
        SELECT sender, {VOICES} AS voices FROM events_heardevent
        WHERE sender = ANY(%s) AND learned GROUP BY sender
    ), of_item AS (
        SELECT sender, item_id, {VOICES} AS voices
        FROM events_heardevent JOIN asked USING (sender, item_id)
        WHERE learned GROUP BY sender, item_id
    )
    SELECT sender, item_id FROM of_item JOIN all_voices USING (sender)
    WHERE of_item.voices > %s
      AND (of_item.voices > all_voices.voices * %s OR of_item.voices > %s)
    ORDER BY sender, item_id
"""
LATE = """
    SELECT sender, session_hash FROM (
        SELECT sender, session_hash, row_number() OVER (PARTITION BY sender ORDER BY min(id)) AS n
        FROM events_heardevent WHERE sender = ANY(%s) AND session_hash IS NOT NULL
        GROUP BY sender, session_hash
    ) AS numbered
    WHERE n > %s AND session_hash = ANY(%s)
"""
OF_ITEM = """
    SELECT session_hash, event_id, occurred_at FROM events_heardevent
    WHERE sender = %s AND item_id = %s AND learned
"""


class Heard(NamedTuple):
    """What one network sent that has to do with one product."""

    sessions: set[int]
    alone: list[tuple[str, datetime]]
    """Events without a session: their names and times."""


def take_turns(senders: Iterable[int]) -> None:
    """Wait for whoever stores something of one of these senders; they then wait for us."""
    _run(LOCK, [sorted(set(senders))])


def counts(senders: Collection[int]) -> dict[int, int]:
    """How many events of each are recorded."""
    return dict(_rows(COUNT, [list(senders)]))


def tallies(senders: Collection[int]) -> dict[int, int]:
    """How many events the holders of these keys sent."""
    return dict(_rows(TALLY, [list(senders)]))


def add_tallies(added: Mapping[int, int], *, now: datetime) -> None:
    """Count more; whoever counts for the same key waits until the transaction has ended."""
    senders = sorted(added)
    _run(ADD_TALLY, [now, senders, [added[sender] for sender in senders]])


def record(sent: Iterable[tuple[int, StoredEvent]], *, now: datetime) -> None:
    rows = [
        (
            sender,
            event.session_hash,
            event.item_id,
            event.event_type in LEARNED,
            event.event_id,
            event.occurred_at,
        )
        for sender, event in sent
    ]
    if rows:
        _run(RECORD, [now, *map(list, zip(*rows, strict=True))])


def bursts(
    asked: Collection[tuple[int, str]], *, more_than: int, share: float, most: int
) -> list[tuple[int, str]]:
    """Of these networks and products those where the product has more than so many voices, and
    more than this share of all that the network has, or more than `most` in any case."""
    senders, items = [sender for sender, _ in asked], [item for _, item in asked]
    return _rows(BURSTS, [senders, items, list(set(senders)), more_than, share, most])


def late_sessions(
    senders: Collection[int], sessions: Collection[int], *, after: int
) -> list[tuple[int, int]]:
    """Of these sessions those that came after so many others of their network."""
    return _rows(LATE, [list(senders), after, list(sessions)])


def of_item(sender: int, item_id: str) -> Heard:
    rows = _rows(OF_ITEM, [sender, item_id])
    alone = [(event_id.hex, at) for session, event_id, at in rows if session is None]
    return Heard({session for session, _, _ in rows if session is not None}, alone)


def forget_before(hour: datetime) -> None:
    HeardEvent.objects.filter(heard_at__lt=hour).delete()
    KeyTally.objects.filter(counted_at__lt=hour).delete()


def forget_sessions(hashes: Collection[int]) -> None:
    HeardEvent.objects.filter(session_hash__in=hashes).delete()


def _rows(query: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def _run(query: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
