"""From a log of events to sessions and back: sorted, collapsed to distinct pairs, inverted."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

if TYPE_CHECKING:
    from reco_app.engine.index import Log


class BySession(NamedTuple):
    """S sessions from old to new, with E distinct items in all."""

    start: NDArray[np.int64]
    items: NDArray[np.int32]
    positions: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    at: NDArray[np.float64]


class ByItem(NamedTuple):
    """The same pairs by item, the newest session first."""

    start: NDArray[np.int64]
    sessions: NDArray[np.int32]
    kinds: NDArray[np.uint8]


def collapse(log: "Log") -> BySession:
    """Sessions in order of their last event, each item once, at the moment it was last met."""
    kept = np.flatnonzero(log.session >= 0)
    if not len(kept):
        return _empty()
    order = kept[np.lexsort((log.item[kept], log.at[kept], log.session[kept]))]
    session = log.session[order]
    starts = np.flatnonzero(np.concatenate([[True], session[1:] != session[:-1]]))
    ends = np.append(starts[1:], len(order))
    by_age = np.lexsort((session[starts], log.at[order[ends - 1]]))
    width = int(log.item.max()) + 1
    start, items, positions, kinds = _collapse(
        starts[by_age], ends[by_age], log.item[order], log.at[order], log.event_type[order], width
    )
    return BySession(start, items, positions, kinds, log.at[order[ends - 1]][by_age])


def invert(by_session: BySession, item_count: int) -> ByItem:
    """The sessions of every item, newest first."""
    counts = np.bincount(by_session.items, minlength=item_count)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    found, kinds = _invert(by_session.start, by_session.items, by_session.kinds, start)
    return ByItem(start, found, kinds)


def only(by_session: BySession, kinds: np.uint8) -> BySession:
    """The same sessions with only those pairs that had an event of one of these kinds."""
    keep = (by_session.kinds & kinds) > 0
    passed = np.concatenate([[0], np.cumsum(keep)])
    return BySession(
        passed[by_session.start],
        by_session.items[keep],
        by_session.positions[keep],
        by_session.kinds[keep],
        by_session.at,
    )


def _empty() -> BySession:
    return BySession(
        np.zeros(1, np.int64),
        np.zeros(0, np.int32),
        np.zeros(0, np.int32),
        np.zeros(0, np.uint8),
        np.zeros(0, np.float64),
    )


@njit(cache=True, nogil=True)
def _collapse(starts, ends, item, at, event_type, width):  # type: ignore[no-untyped-def]
    place = np.full(width, -1, np.int64)
    start = np.zeros(len(starts) + 1, np.int64)
    items = np.empty(len(item), np.int32)
    positions = np.empty(len(item), np.int32)
    kinds = np.zeros(len(item), np.uint8)
    filled = 0
    for session in range(len(starts)):
        first = filled
        moment = 0
        for row in range(starts[session], ends[session]):
            if row > starts[session] and at[row] > at[row - 1]:
                moment += 1
            known = place[item[row]]
            if known < first:
                known = filled
                place[item[row]] = known
                items[known] = item[row]
                filled += 1
            positions[known] = moment
            kinds[known] |= np.uint8(1 << event_type[row])
        start[session + 1] = filled
    return start, items[:filled].copy(), positions[:filled].copy(), kinds[:filled].copy()


@njit(cache=True, nogil=True)
def _invert(session_start, session_items, session_kinds, item_start):  # type: ignore[no-untyped-def]
    place = item_start[:-1].copy()
    sessions = np.empty(len(session_items), np.int32)
    kinds = np.empty(len(session_items), np.uint8)
    for session in range(len(session_start) - 2, -1, -1):
        for pair in range(session_start[session], session_start[session + 1]):
            item = session_items[pair]
            sessions[place[item]] = session
            kinds[place[item]] = session_kinds[pair]
            place[item] += 1
    return sessions, kinds
