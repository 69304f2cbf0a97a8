"""What a log comes to: sessions and the items in them, in both orders."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class BySession(NamedTuple):
    """S sessions in order of their last event, with E distinct items in all."""

    start: NDArray[np.int64]
    items: NDArray[np.int32]
    """By first occurrence; those of one moment by their place."""
    positions: NDArray[np.int32]
    """How many moments of the session came before the item was last met."""
    kinds: NDArray[np.uint8]
    """Bit t is set where there was an event of type t."""
    at: NDArray[np.float64]
    """Of the last event, seconds since 1970."""


class ByItem(NamedTuple):
    """The same pairs by item, the newest session first."""

    start: NDArray[np.int64]
    sessions: NDArray[np.int32]
    kinds: NDArray[np.uint8]


class Alone(NamedTuple):
    """Events without a session, oldest first."""

    item: NDArray[np.int32]
    event_type: NDArray[np.uint8]
    at: NDArray[np.float64]


class Counted(NamedTuple):
    """All that the index asks of a log."""

    by_session: BySession
    by_item: ByItem
    alone: Alone
    first_at: NDArray[np.float64]
    """Of each item's first event, seconds since 1970; 0 where there is none."""


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
