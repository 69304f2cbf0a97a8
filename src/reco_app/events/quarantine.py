"""Events that were acknowledged and set aside: they count for nothing until staff release them."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction

from reco_app.events import days, forgetting, recent, stream
from reco_app.events.anonymity import day_of
from reco_app.events.models import QuarantineCase, QuarantinedEvent, ReleasedSession
from reco_app.events.store import COLUMNS, StoredEvent

Reason = QuarantineCase.Reason
Verdict = QuarantineCase.Verdict
KEPT = timedelta(days=14)
IMPOSSIBLE = (Reason.TOO_FAST, Reason.TOO_LONG)
WHOLE_SESSIONS = (Reason.BURST, *IMPOSSIBLE)
REACH = timedelta(days=8)  # how far from now a day may be that events still come in for
OPEN = """
    INSERT INTO events_quarantinecase (sender, reason, item_id, opened_at, verdict)
    VALUES (%s, %s, %s, %s, 'open') ON CONFLICT (sender, reason, item_id) DO NOTHING RETURNING id
"""
HELD_SESSIONS = """
    SELECT session_hash, min(case_id)
    FROM events_quarantinedevent JOIN events_quarantinecase AS cases ON cases.id = case_id
    WHERE session_hash = ANY(%s) AND reason = ANY(%s) GROUP BY session_hash
"""
HOLD = f"""
    INSERT INTO events_quarantinedevent ({COLUMNS}, case_id)
    SELECT * FROM unnest(
        %s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::int[], %s::numeric[],
        %s::timestamptz[], %s::text[], %s::smallint[], %s::bigint[]
    ) ON CONFLICT DO NOTHING
"""
MOVE = f"""
    WITH moved AS (DELETE FROM events_event {{which}} RETURNING {COLUMNS})
    INSERT INTO events_quarantinedevent ({COLUMNS}, case_id)
    SELECT {COLUMNS}, %s FROM moved ON CONFLICT DO NOTHING
"""
MOVE_SESSIONS = MOVE.format(
    which="WHERE session_hash = ANY(%s) AND occurred_at >= %s AND occurred_at < %s"
)
MOVE_ALONE = MOVE.format(
    which="USING unnest(%s::uuid[], %s::timestamptz[]) AS alone (name, at) "
    "WHERE event_id = alone.name AND occurred_at = alone.at AND session_hash IS NULL"
)
# What comes after a verdict waits for another one.
OPEN_AGAIN = """
    UPDATE events_quarantinecase AS cases SET verdict = 'open'
    WHERE id = ANY(%s) AND verdict <> 'open'
      AND EXISTS (SELECT FROM events_quarantinedevent WHERE case_id = cases.id)
"""
# Whoever looks back at a session that goes on knows what staff said of it.
REMEMBER = """
    INSERT INTO events_releasedsession (session_hash, released_at)
    SELECT DISTINCT session_hash, %s::timestamptz
    FROM events_quarantinedevent JOIN events_quarantinecase AS cases ON cases.id = case_id
    WHERE case_id = %s AND reason = ANY(%s) AND session_hash IS NOT NULL
    ON CONFLICT DO NOTHING
"""
RELEASE = f"""
    WITH released AS (
        DELETE FROM events_quarantinedevent WHERE case_id = %s RETURNING {COLUMNS}
    )
    INSERT INTO events_event ({COLUMNS}) SELECT {COLUMNS} FROM released ON CONFLICT DO NOTHING
    RETURNING {COLUMNS}
"""


def case(sender: int, reason: Reason, item_id: str = "", *, now: datetime) -> tuple[int, bool]:
    """The case of this sender, reason and hour, and whether it was opened just now."""
    found = _run(OPEN, [sender, reason, item_id, now])
    if found:
        return int(found[0][0]), True
    known = QuarantineCase.objects.filter(sender=sender, reason=reason, item_id=item_id).first()
    if known is None:  # its hour was over in this very moment
        return case(sender, reason, item_id, now=now)
    return known.pk, False


def bursts(senders: Collection[int]) -> dict[tuple[int, str], str]:
    """The bursts that these networks have had within the hour, and the verdict on each."""
    rows = QuarantineCase.objects.filter(sender__in=senders, reason=Reason.BURST)
    return {(row.sender or 0, row.item_id): row.verdict for row in rows}


def held_sessions(sessions: Collection[int]) -> Mapping[int, int]:
    """Those of these sessions that are set aside as a whole, and their cases."""
    return dict(_run(HELD_SESSIONS, [list(sessions), list(WHOLE_SESSIONS)]))


def released_sessions(sessions: Collection[int]) -> set[int]:
    """Those of these sessions that staff let count, however fast or long they are."""
    known = ReleasedSession.objects.filter(session_hash__in=sessions)
    return set(known.values_list("session_hash", flat=True))


def hold(events: Collection[tuple[int, StoredEvent]]) -> None:
    """Set these events aside, each for its case."""
    rows = [(*event, number) for number, event in events]
    if rows:
        _run(HOLD, [list(column) for column in zip(*rows, strict=True)])
        _run(OPEN_AGAIN, [sorted({number for number, _ in events})])


def move_sessions(sessions: Collection[int], *, into: int, now: datetime) -> None:
    """Set aside all that is stored of these sessions."""
    _run(MOVE_SESSIONS, [list(sessions), now - REACH, now + REACH, into])
    _run(OPEN_AGAIN, [[into]])
    transaction.on_commit(partial(stream.tell_gone, list(sessions)))


def move_alone(events: Collection[tuple[str, datetime]], *, into: int) -> None:
    """Set aside these events without a session, named and timed."""
    names, moments = [name for name, _ in events], [at for _, at in events]
    _run(MOVE_ALONE, [names, moments, into])
    transaction.on_commit(partial(stream.tell_gone, map(recent.name_of, names)))


@transaction.atomic
def release(number: int, *, now: datetime) -> int:
    """Let the events of a case count after all; returns how many. Again it does nothing.

    Raises IntegrityError where one of their days has expired.
    """
    forgetting.wait()
    moments = QuarantinedEvent.objects.filter(case_id=number).values_list("occurred_at", flat=True)
    days.make({day_of(at) for at in moments})
    _run(REMEMBER, [now, number, list(IMPOSSIBLE)])
    rows = _run(RELEASE, [number])
    QuarantineCase.objects.filter(pk=number).update(verdict=Verdict.RELEASED)
    released = [StoredEvent(event_id.hex, *others) for event_id, *others in rows]
    transaction.on_commit(partial(stream.tell, released, now=now))
    return len(released)


@transaction.atomic
def drop(number: int) -> int:
    """Delete the events of a case; returns how many."""
    dropped, _ = QuarantinedEvent.objects.filter(case_id=number).delete()
    QuarantineCase.objects.filter(pk=number, verdict=Verdict.OPEN).update(verdict=Verdict.DROPPED)
    return dropped


def undecided() -> int:
    """How many events wait for somebody to release or drop them."""
    return QuarantinedEvent.objects.filter(case__verdict=Verdict.OPEN).count()


def forget_sessions(hashes: Collection[int]) -> int:
    ReleasedSession.objects.filter(session_hash__in=hashes).delete()
    return int(QuarantinedEvent.objects.filter(session_hash__in=hashes).delete()[0])


def forget_senders(before: datetime) -> None:
    """Nothing links a case to its network any more once the key of its hour is gone."""
    QuarantineCase.objects.filter(opened_at__lt=before, sender__isnull=False).update(sender=None)


@transaction.atomic
def expire(*, events_before: datetime, now: datetime) -> None:
    """Delete what has waited for too long, and events of days that are dropped."""
    QuarantinedEvent.objects.filter(occurred_at__lt=events_before).delete()
    old = QuarantineCase.objects.filter(opened_at__lt=now - KEPT)
    QuarantinedEvent.objects.filter(case__in=old).delete()
    old.delete()
    ReleasedSession.objects.filter(released_at__lt=now - KEPT).delete()


def _run(query: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []
