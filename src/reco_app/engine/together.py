"""Counting the sessions that two items share: the evidence behind a reason."""

# Compiled code has types of its own, which mypy cannot see.
# mypy: disable-error-code="no-untyped-def"

import numpy as np
from numba import njit

MUCH_LONGER = 8  # from here on searching the longer list beats walking it
BOUGHT, MET = 1, 2  # how an item occurred in a session: bits; which of the two is told
STRONGER = BOUGHT | MET  # tell whichever is more
MOST_TOLD = 3  # products at hand that are told as reasons of a result
FEWEST_TOLD = 3  # sessions: fewer are no evidence, and would tell of single shoppers
SHARE_STEPS = 1e4
SCATTER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: Knuth, 6.4
SCATTERED_BITS = np.uint64(32)


@njit(cache=True, nogil=True)
def drivers(index, results, most, least, purchase, preferred, memory, newer):
    """What drove each of the results: k items, the items of the context and k x context shares.

    `newer`: by item, ascending, the items met in sessions since the index was made, in how many
    both were bought, and in how many both were met: start, items, bought, met.

    Returns a table whose rows are the result's row, the context item, what is told of the two (0:
    nothing, 1: sessions that met both, 2: that bought both) and how many; and the rounded shares.
    """
    items, causes, shares = results
    rows, columns = strongest(shares, most, least)
    told = np.empty((4, len(rows)), np.int32)
    parts = np.empty(len(rows), np.float64)
    for place in range(len(rows)):
        row, column = rows[place], columns[place]
        told[0, place] = row
        told[1, place] = causes[column]
        parts[place] = np.rint(np.float64(shares[row, column]) * SHARE_STEPS) / SHARE_STEPS
    counts = np.empty((len(rows), 2), np.int32)
    _count(index, items[rows], causes[columns], purchase, memory, counts)
    if len(newer[1]):
        _add_newer(newer, items[rows], causes[columns], counts)
    for place in range(len(rows)):
        bought, met = counts[place]
        if met < FEWEST_TOLD:
            met = 0
        if bought < FEWEST_TOLD or not preferred & BOUGHT:
            bought = 0
        if bought and (not preferred & MET or bought >= met):
            told[2, place], told[3, place] = 2, bought
        elif met:
            told[2, place], told[3, place] = 1, met
        else:
            told[2, place], told[3, place] = 0, 0
    return told, parts


@njit(cache=True, nogil=True)
def strongest(shares, most, least):
    """The columns of each row's largest shares: the largest first, the others not below `least`.

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
                if share <= 0 or (share < least and filled > first):
                    continue
                if best >= 0 and share <= shares[row, best]:
                    continue
                if not _is_among(columns, first, filled, column):
                    best = column
            if best < 0:
                break
            rows[filled] = row
            columns[filled] = best
            filled += 1
    return rows[:filled], columns[:filled]


@njit(cache=True, nogil=True)
def _is_among(values, first, end, value):
    """Whether it is one of values[first:end]; making an array to ask would take longer."""
    found = False
    for place in range(first, end):
        found |= values[place] == value
    return found


@njit(cache=True, nogil=True)
def _count(index, items, causes, purchase, memory, counts):
    """Sessions with both items of each pair: bought in each, and otherwise met in each.

    An index never changes, so what was counted is remembered until another pair takes its cell.
    """
    keys = np.empty(len(items), np.uint64)
    open_pairs = 0
    for pair in range(len(items)):
        keys[pair] = np.uint64(items[pair]) * np.uint64(len(index[0])) + np.uint64(causes[pair] + 1)
        cell = _cell(keys[pair], memory)
        if memory.pairs[cell] == keys[pair]:
            counts[pair] = memory.counts[cell]
            keys[pair] = 0
        else:
            open_pairs += 1
    if open_pairs == 0:
        return
    _count_anew(index, items, causes, keys, purchase, memory.marks, counts)
    for pair in range(len(items)):
        if keys[pair]:
            cell = _cell(keys[pair], memory)
            memory.pairs[cell] = keys[pair]
            memory.counts[cell] = counts[pair]


@njit(cache=True, nogil=True)
def _add_newer(newer, items, causes, counts):
    start, others, bought, met = newer
    for pair in range(len(items)):
        first, last = start[causes[pair]], start[causes[pair] + 1]
        place = first + np.searchsorted(others[first:last], items[pair])
        if place < last and others[place] == items[pair]:
            counts[pair, 0] += bought[place]
            counts[pair, 1] += met[place]


@njit(cache=True, nogil=True)
def _cell(key, memory):
    return ((key * SCATTER) >> SCATTERED_BITS) % np.uint64(len(memory.pairs))


@njit(cache=True, nogil=True)
def _count_anew(index, items, causes, wanted, purchase, marks, counts):
    """Fill in the counts of the wanted pairs.

    `marks` is scratch, one cell a session, 0 before and after: the sessions of a cause are
    marked once for all pairs that it is in.
    """
    done = wanted == 0
    for first in range(len(items)):
        if done[first]:
            continue
        cause = causes[first]
        marked = False
        for pair in range(first, len(items)):
            if done[pair] or causes[pair] != cause:
                continue
            done[pair] = True
            own, length = _length(index, items[pair]), _length(index, cause)
            if own > MUCH_LONGER * length:
                counts[pair] = _searched(index, cause, items[pair], purchase)
            elif length > MUCH_LONGER * own:
                counts[pair] = _searched(index, items[pair], cause, purchase)
            else:
                if not marked:
                    _mark(index, cause, purchase, marks)
                    marked = True
                counts[pair] = _counted(index, items[pair], purchase, marks)
        if marked:
            _clear(index, cause, marks)


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
def are_together(start, sessions, one, other):
    """Whether a session of the index has both items."""
    if start[one + 1] - start[one] > start[other + 1] - start[other]:
        one, other = other, one
    place, end = start[other], start[other + 1]
    for pair in range(start[one], start[one + 1]):
        place = _first_not_newer(sessions, place, end, sessions[pair])
        if place == end:
            return False
        if sessions[place] == sessions[pair]:
            return True
    return False


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
