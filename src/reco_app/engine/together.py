"""Counting the sessions that two items share: the evidence behind a reason."""

# Compiled code has types of its own, which mypy cannot see.
# mypy: disable-error-code="no-untyped-def"

import numpy as np
from numba import njit

MUCH_LONGER = 8  # from here on searching the longer list beats walking it
BOUGHT, MET = 1, 2  # how an item occurred in a session: bits


@njit(cache=True, nogil=True)
def strongest(shares, most, least):
    """The columns of each row's largest shares, the largest first, none below `least`.

    Returns rows and columns, at most `most` of each row.
    """
    rows = np.empty(len(shares) * most, np.int64)
    columns = np.empty(len(shares) * most, np.int64)
    filled = 0
    for row in range(len(shares)):
        first = filled
        while filled - first < most:
            best = -1
            for column in range(shares.shape[1]):
                share = shares[row, column]
                if share < least or (best >= 0 and share <= shares[row, best]):
                    continue
                if not np.any(columns[first:filled] == column):
                    best = column
            if best < 0:
                break
            rows[filled] = row
            columns[filled] = best
            filled += 1
    return rows[:filled], columns[:filled]


@njit(cache=True, nogil=True)
def shared_sessions(index, items, causes, purchase, marks):
    """Sessions with both items of each pair: bought in each, and otherwise met in each.

    `marks` is scratch, one cell a session, 0 before and after: the sessions of a cause are
    marked once for all pairs that it is in.
    """
    bought = np.zeros(len(items), np.int32)
    met = np.zeros(len(items), np.int32)
    done = np.zeros(len(items), np.bool_)
    for first in range(len(items)):
        cause = causes[first]
        marked = False
        for pair in range(first, len(items)):
            if done[pair] or causes[pair] != cause:
                continue
            done[pair] = True
            own, length = _length(index, items[pair]), _length(index, cause)
            if own > MUCH_LONGER * length:
                bought[pair], met[pair] = _searched(index, cause, items[pair], purchase)
            elif length > MUCH_LONGER * own:
                bought[pair], met[pair] = _searched(index, items[pair], cause, purchase)
            else:
                if not marked:
                    _mark(index, cause, purchase, marks)
                    marked = True
                bought[pair], met[pair] = _counted(index, items[pair], purchase, marks)
        if marked:
            _clear(index, cause, marks)
    return bought, met


@njit(cache=True, nogil=True)
def _length(index, item):
    return index[0][item + 1] - index[0][item]


@njit(cache=True, nogil=True)
def _ways(kinds, purchase):
    return (BOUGHT if kinds & purchase else 0) | (MET if kinds & ~purchase else 0)


@njit(cache=True, nogil=True)
def _mark(index, item, purchase, marks):
    start, sessions, kinds = index
    for place in range(start[item], start[item + 1]):
        marks[sessions[place]] = _ways(kinds[place], purchase)


@njit(cache=True, nogil=True)
def _clear(index, item, marks):
    start, sessions, _ = index
    for place in range(start[item], start[item + 1]):
        marks[sessions[place]] = 0


@njit(cache=True, nogil=True)
def _counted(index, item, purchase, marks):
    start, sessions, kinds = index
    bought = 0
    met = 0
    for place in range(start[item], start[item + 1]):
        shared = marks[sessions[place]] & _ways(kinds[place], purchase)
        bought += shared & BOUGHT
        met += shared >> 1
    return bought, met


@njit(cache=True, nogil=True)
def _searched(index, shorter, longer, purchase):
    start, sessions, kinds = index
    other, end = start[longer], start[longer + 1]
    bought = 0
    met = 0
    for place in range(start[shorter], start[shorter + 1]):
        other = _first_not_newer(sessions, other, end, sessions[place])
        if other == end:
            break
        if sessions[other] == sessions[place]:
            shared = _ways(kinds[place], purchase) & _ways(kinds[other], purchase)
            bought += shared & BOUGHT
            met += shared >> 1
    return bought, met


@njit(cache=True, nogil=True)
def _first_not_newer(sessions, first, end, session):
    """Where a list, newest first, comes to `session` or passes it; looks near `first` first."""
    step = 1
    while first + step < end and sessions[first + step] > session:
        first += step
        step *= 2
    last = min(first + step, end)
    while first < last:
        middle = (first + last) // 2
        if sessions[middle] > session:
            first = middle + 1
        else:
            last = middle
    return first
