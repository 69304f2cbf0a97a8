"""Item-item weights of large catalogues: what EASE solves for all items at once, item by item.

Each item is explained by the items most bought with it alone, in a ridge regression of its own.
Where the closed form (Steck 2019) needs a dense inverse, and SANSA (Spišák et al., 2023) a sparse
factor of all co-purchases, this needs those of one neighbourhood at a time.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reco_app.engine.rows import ItemWeights, heaviest, packed
from reco_app.engine.sessions import ByItem, BySession

LONGEST = 1_000  # items; an order of more does not say what goes with what
MOST_PAIRS = 6_000_000  # kept in memory: beyond it only pairs met twice, three times, ...
DOUBT = 3.0  # baskets that two items must share to be half believed to be neighbours
LEAST_PIVOT = 0.05  # of an item's own count: left-out rare pairs can make a matrix indefinite
PARTS = 2  # solved side by side

Floats = NDArray[np.float32]


class Shared(NamedTuple):
    """Weighed baskets that pairs of items share, as rows, and those of each item itself."""

    start: NDArray[np.int64]
    items: NDArray[np.int32]
    weights: Floats
    own: Floats


def regressed(shared: Shared, *, ridge: float, neighbours: int, row: int) -> ItemWeights:
    """Rows of the `row` weights furthest from 0, each target explained by `neighbours` items.

    Where all items meet and all are neighbours, these are the weights of EASE.
    """
    sizes = np.minimum(np.diff(shared.start), neighbours)
    solved = packed(
        sizes, np.empty(int(sizes.sum()), np.int32), np.empty(int(sizes.sum()), np.float32)
    )
    borders = np.linspace(0, len(sizes), PARTS + 1).astype(int).tolist()
    with ThreadPoolExecutor(PARTS) as pool:
        parts = [
            pool.submit(_solve, *bounds, tuple(shared), np.float32(ridge), tuple(solved))
            for bounds in zip(borders[:-1], borders[1:], strict=True)
        ]
        for part in parts:
            part.result()
    return packed(*_turned(*solved, row))


def shared_baskets(by_session: BySession, by_item: ByItem, weights: Floats) -> Shared:
    """Pairs of items that share baskets; the rarest are left out where there are too many."""
    lists = (by_session.start, by_session.items, by_item.start, by_item.sessions)
    least = 1
    counts = _count(lists, least, LONGEST)
    while counts.sum() > MOST_PAIRS:
        least += 1
        counts = _count(lists, least, LONGEST)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Shared(start, *_fill(lists, weights, least, LONGEST, start))


@njit(cache=True, nogil=True)
def _count(lists, least, longest):  # type: ignore[no-untyped-def]
    """How many other items each item shares at least `least` baskets with."""
    session_start, session_items, item_start, item_sessions = lists
    count = len(item_start) - 1
    met = np.zeros(count, np.int32)
    counts = np.zeros(count, np.int64)
    for item in range(count):
        for pair in range(item_start[item], item_start[item + 1]):
            first = session_start[item_sessions[pair]]
            last = session_start[item_sessions[pair] + 1]
            if last - first > longest:
                continue
            for other in session_items[first:last]:
                met[other] += 1
                if met[other] == least and other != item:
                    counts[item] += 1
        for pair in range(item_start[item], item_start[item + 1]):
            first = session_start[item_sessions[pair]]
            last = session_start[item_sessions[pair] + 1]
            if last - first <= longest:
                met[session_items[first:last]] = 0
    return counts


@njit(cache=True, nogil=True)
def _fill(lists, weights, least, longest, start):  # type: ignore[no-untyped-def]
    session_start, session_items, item_start, item_sessions = lists
    count = len(item_start) - 1
    met = np.zeros(count, np.int32)
    sums = np.zeros(count, np.float32)
    touched = np.empty(count, np.int32)
    items = np.empty(start[-1], np.int32)
    values = np.empty(start[-1], np.float32)
    own = np.zeros(count, np.float32)
    for item in range(count):
        found = 0
        for pair in range(item_start[item], item_start[item + 1]):
            session = item_sessions[pair]
            first, last = session_start[session], session_start[session + 1]
            if last - first > longest:
                continue
            for other in session_items[first:last]:
                if met[other] == 0:
                    touched[found] = other
                    found += 1
                met[other] += 1
                sums[other] += weights[session]
        own[item] = sums[item]
        filled = start[item]
        for other in touched[:found]:
            if met[other] >= least and other != item:
                items[filled] = other
                values[filled] = sums[other]
                filled += 1
            met[other] = 0
            sums[other] = 0
    return items, values, own


@njit(cache=True, nogil=True)
def _solve(first, last, shared, ridge, solved):  # type: ignore[no-untyped-def]
    """The weights that explain each target from `first` to `last`, by its neighbours."""
    start, items, sums, own = shared
    out_start, out_items, out_weights = solved
    place = np.full(len(own), -1, np.int32)
    for target in range(first, last):
        size = out_start[target + 1] - out_start[target]
        if size == 0:
            continue
        near, values = _neighbours(
            items[start[target] : start[target + 1]],
            sums[start[target] : start[target + 1]],
            own,
            size,
        )
        matrix = np.zeros((size, size), np.float32)
        for row in range(size):
            place[near[row]] = row
        for row in range(size):
            item = near[row]
            matrix[row, row] = own[item] + ridge
            for pair in range(start[item], start[item + 1]):
                if place[items[pair]] >= 0:
                    matrix[row, place[items[pair]]] = sums[pair]
        for row in range(size):
            place[near[row]] = -1
        _solve_in_place(matrix, values)
        out_items[out_start[target] : out_start[target + 1]] = near
        out_weights[out_start[target] : out_start[target + 1]] = values


@njit(cache=True, nogil=True)
def _neighbours(items, sums, own, size):  # type: ignore[no-untyped-def]
    """The items that share most with the target for how often they are bought."""
    if len(items) == size:
        return items.copy(), sums.copy()
    nearness = sums * sums / (sums + DOUBT) / np.sqrt(own[items])
    kept, _ = heaviest(np.arange(len(items)), nearness, size)
    return items[kept], sums[kept]


@njit(cache=True, nogil=True, fastmath=True)
def _solve_in_place(matrix, values):  # type: ignore[no-untyped-def]
    """Cholesky's solution for the lower half of a symmetric matrix, left in `values`."""
    for row in range(len(values)):
        own = matrix[row, row]
        for column in range(row + 1):
            rest = matrix[row, column]
            for place in range(column):
                rest -= matrix[row, place] * matrix[column, place]
            if column < row:
                matrix[row, column] = rest / matrix[column, column]
            else:
                matrix[row, row] = np.sqrt(max(rest, np.float32(LEAST_PIVOT) * own))
    for row in range(len(values)):
        for place in range(row):
            values[row] -= matrix[row, place] * values[place]
        values[row] /= matrix[row, row]
    for row in range(len(values) - 1, -1, -1):
        values[row] /= matrix[row, row]
        for place in range(row):
            values[place] -= matrix[row, place] * values[row]


@njit(cache=True, nogil=True)
def _turned(start, items, weights, row):  # type: ignore[no-untyped-def]
    """From what explains each target to what each item speaks for: the heaviest of its row."""
    count = len(start) - 1
    begin = np.zeros(count + 1, np.int64)
    for item in items:
        begin[item + 1] += 1
    begin = np.cumsum(begin)
    filled = begin[:-1].copy()
    targets = np.empty(len(items), np.int32)
    values = np.empty(len(items), np.float32)
    for target in range(count):
        for pair in range(start[target], start[target + 1]):
            place = filled[items[pair]]
            targets[place] = target
            values[place] = weights[pair]
            filled[items[pair]] += 1
    counts = np.zeros(count, np.int64)
    kept_items = np.empty(len(items), np.int32)
    kept_values = np.empty(len(items), np.float32)
    size = 0
    for item in range(count):
        own = values[begin[item] : begin[item + 1]]
        kept, _ = heaviest(np.arange(len(own)), np.abs(own), row)
        counts[item] = len(kept)
        kept_items[size : size + len(kept)] = targets[begin[item] : begin[item + 1]][kept]
        kept_values[size : size + len(kept)] = own[kept]
        size += len(kept)
    return counts, kept_items[:size].copy(), kept_values[:size].copy()
