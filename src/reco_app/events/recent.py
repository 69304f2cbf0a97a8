"""What the sessions of the last days came to: what serving knows beyond its release.

The state of a session is told whole, so that it does no harm to hear of it twice, late, or in
another order: whoever hears two states of a session keeps the one with more events.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Annotated, Any

from django.db import connection
from msgspec import Meta, Struct

from reco_app.events import days
from reco_app.events.anonymity import day_of

LEARNED = ("view", "click", "add-to-cart", "purchase")  # the types that training counts
DAYS_BEFORE = 2  # whole days beside today: what is older waits for the next training
MOST_ITEMS = 50  # of one session, the newest
MOST_EVENTS = 2000  # training leaves longer sessions out as well
AT_A_TIME = 1000
NUMBERS_AT_A_TIME = 500_000  # of events that are looked at: a second of PostgreSQL's time
ALONE = -1


class Row(Struct, array_like=True, frozen=True, gc=False):
    """One session's events of one type on one item."""

    item_id: str
    kind: Annotated[int, Meta(ge=0, lt=len(LEARNED))]
    """Place in LEARNED; compiled code counts on there being no other."""
    position: int
    """How many moments of the session came before the last of them; ALONE: no session."""
    at: float
    """Of the last of them, seconds since 1970."""
    number: int
    """Of the first of them: events are numbered as they are stored."""


class State(Struct, array_like=True, frozen=True, gc=False):
    """All that counts of a session; or an event without one, under a name of its own."""

    name: int
    events: int
    rows: Sequence[Row]


OF_SESSIONS = """
    SELECT session, total, item_id, event_type, max(moment),
           max(extract(epoch FROM occurred_at))::float8 AS last_at, min(id)
    FROM unnest(%s::bigint[]) AS session CROSS JOIN LATERAL (
        SELECT item_id, event_type, occurred_at, id, count(*) OVER () AS total,
               dense_rank() OVER (ORDER BY occurred_at) - 1 AS moment
        FROM events_event
        WHERE session_hash = session AND occurred_at >= %s AND event_type = ANY(%s)
    ) AS learned
    GROUP BY session, total, item_id, event_type
    ORDER BY session, item_id, event_type
"""
OF_ALONE = """
    SELECT event_id, item_id, event_type, extract(epoch FROM occurred_at)::float8, id
    FROM events_event JOIN unnest(%s::timestamptz[], %s::uuid[]) AS named (occurred_at, event_id)
        USING (occurred_at, event_id)
    WHERE occurred_at >= %s AND event_type = ANY(%s) AND session_hash IS NULL
"""
SESSIONS_BETWEEN = """
    SELECT session_hash FROM events_event
    WHERE id > %s AND id <= %s AND occurred_at >= %s AND event_type = ANY(%s)
      AND session_hash IS NOT NULL
    GROUP BY session_hash ORDER BY max(id) DESC LIMIT %s
"""
ALONE_BETWEEN = """
    SELECT event_id, item_id, event_type, extract(epoch FROM occurred_at)::float8, id
    FROM events_event
    WHERE id > %s AND id <= %s AND occurred_at >= %s AND event_type = ANY(%s)
      AND session_hash IS NULL
    ORDER BY id DESC LIMIT %s
"""


def oldest_day(now: datetime) -> date:
    """The first day whose sessions are told of; no session is of two days."""
    return day_of(now) - timedelta(days=DAYS_BEFORE)


def of_sessions(sessions: Collection[int], *, now: datetime) -> Iterator[State]:
    """The states of these sessions, as far as there is anything to tell."""
    begin, _ = days.span(oldest_day(now))
    asked = list(sessions)
    for first in range(0, len(asked), AT_A_TIME):
        some = asked[first : first + AT_A_TIME]
        rows = _read(OF_SESSIONS, some, begin, list(LEARNED))
        for session, of_session in groupby(rows, key=itemgetter(0)):
            if state := _state(session, list(of_session)):
                yield state


def of_events(named: Iterable[tuple[datetime, str]], *, now: datetime) -> list[State]:
    """Those of these events, by time and name, that are stored and have no session."""
    begin, _ = days.span(oldest_day(now))
    asked = list(named)
    if not asked:
        return []
    moments, names = zip(*asked, strict=True)
    rows = _read(OF_ALONE, list(moments), list(names), begin, list(LEARNED))
    return [_alone(row) for row in rows]


def since(number: int, *, most: int, now: datetime) -> Iterator[State]:
    """What has an event beyond this number; of very many the newest, `most` with a session and as
    many without."""
    begin, _ = days.span(oldest_day(now))
    alone = _newest_first(ALONE_BETWEEN, number, begin, most)
    yield from map(_alone, reversed(alone))
    sessions = _newest_first(SESSIONS_BETWEEN, number, begin, most)
    yield from of_sessions([session for (session,) in reversed(sessions)], now=now)


def _newest_first(query: str, number: int, begin: datetime, most: int) -> list[tuple[Any, ...]]:
    """Different rows beyond this number, read backwards: what is enough is not looked behind."""
    found: dict[tuple[Any, ...], None] = {}
    upper = days.newest()
    while upper > number and len(found) < most:
        lower = max(number, upper - NUMBERS_AT_A_TIME)
        rows = _read(query, lower, upper, begin, list(LEARNED), most)
        found |= dict.fromkeys(row for row in rows if row not in found)
        upper = lower
    return list(found)[:most]


def name_of(event_id: str) -> int:
    """What an event without a session is known by: half of its digest, as a bigint."""
    return int.from_bytes(bytes.fromhex(event_id)[:8], "big", signed=True)


def _state(session: int, rows: list[tuple[Any, ...]]) -> State | None:
    _, total, *_ = rows[0]
    if total > MOST_EVENTS:
        return None
    told = [
        Row(item_id, LEARNED.index(kind), position, at, number)
        for _, _, item_id, kind, position, at, number in rows
    ]
    return State(session, total, _newest(told))


def _newest(rows: list[Row]) -> list[Row]:
    """What is told of the items that were met last."""
    met_at: dict[str, float] = {}
    for row in rows:
        met_at[row.item_id] = max(row.at, met_at.get(row.item_id, row.at))
    if len(met_at) <= MOST_ITEMS:
        return rows
    kept = set(sorted(met_at, key=lambda item_id: (-met_at[item_id], item_id))[:MOST_ITEMS])
    return [row for row in rows if row.item_id in kept]


def _alone(row: tuple[Any, ...]) -> State:
    event_id, item_id, event_type, at, number = row
    kind = LEARNED.index(event_type)
    return State(name_of(event_id.hex), 1, [Row(item_id, kind, ALONE, at, number)])


def _read(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
