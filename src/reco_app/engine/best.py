"""The compiled choice of the best items.

Every list is in one total order, score first and then the item's place, so that a shorter list
is always the beginning of a longer one.
"""

# Compiled code has types of its own, which mypy cannot see.
# mypy: disable-error-code="no-untyped-def"

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def take_best(scratch, found, mask, limit):
    """The best touched cells above 0 that the mask allows and no tier before has taken, in order.

    Returns items and scores, at most `limit` of each. Clears the cells.
    """
    cells, touched, met, taken = scratch.cells, scratch.touched, scratch.met, scratch.taken
    items = np.empty(limit, np.int32)
    scores = np.empty(limit, np.float32)
    size = 0
    for place in range(found):
        item = touched[place]
        score = cells[item]
        cells[item] = 0
        met[item] = 0
        if score <= 0 or limit == 0 or (size == limit and score < scores[0]):
            continue
        if mask[item] == 0 or taken[item]:
            continue
        if size < limit:
            items[size] = item
            scores[size] = score
            rise(items, scores, size)
            size += 1
        elif score > scores[0] or item < items[0]:
            items[0] = item
            scores[0] = score
            sink(items, scores, size)
    for last in range(size - 1, 0, -1):
        swap(items, scores, 0, last)
        sink(items, scores, last)
    return items[:size], scores[:size].astype(np.float64)


@njit(cache=True, nogil=True)
def _worse(items, scores, left, right):
    if scores[left] != scores[right]:
        return scores[left] < scores[right]
    return items[left] > items[right]


@njit(cache=True, nogil=True)
def swap(items, scores, left, right):
    items[left], items[right] = items[right], items[left]
    scores[left], scores[right] = scores[right], scores[left]


@njit(cache=True, nogil=True)
def rise(items, scores, place):
    """Move the last of a heap to where it belongs; the worst is at the top."""
    while place > 0:
        parent = (place - 1) // 2
        if not _worse(items, scores, place, parent):
            return
        swap(items, scores, place, parent)
        place = parent


@njit(cache=True, nogil=True)
def sink(items, scores, size):
    """Move the top of a heap to where it belongs."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            return
        if child + 1 < size and _worse(items, scores, child + 1, child):
            child += 1
        if not _worse(items, scores, child, place):
            return
        swap(items, scores, place, child)
        place = child


@njit(cache=True, nogil=True)
def walk(order, mask, taken, limit):
    """The first items of an order that the mask allows and that are not taken."""
    items = np.empty(limit, np.int32)
    filled = 0
    for item in order:
        if filled == limit:
            break
        if mask[item] and not taken[item]:
            items[filled] = item
            filled += 1
    return items[:filled]
