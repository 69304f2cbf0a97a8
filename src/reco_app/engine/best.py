"""The compiled choice of the best items.

Every list is in one total order, score first and then the item's place, so that a shorter list
is always the beginning of a longer one.
"""

# Compiled code has types of its own, which mypy cannot see.
# mypy: disable-error-code="no-untyped-def"

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def take_best(scratch, found, limit):
    """The best of the touched cells above 0, in order, not yet taken; clears the cells.

    Returns items and scores, at most `limit` of each.
    """
    cells, touched, taken = scratch.cells, scratch.touched, scratch.taken
    heap = np.empty(limit, np.int32)
    size = 0
    for place in range(found):
        item = touched[place]
        if taken[item] or cells[item] <= 0:
            continue
        if size < limit:
            heap[size] = item
            _rise(heap, size, cells)
            size += 1
        elif limit > 0 and _worse(heap[0], item, cells):
            heap[0] = item
            _sink(heap, size, cells)
    items = np.empty(size, np.int32)
    scores = np.empty(size, np.float64)
    for place in range(size - 1, -1, -1):
        items[place] = heap[0]
        scores[place] = cells[heap[0]]
        heap[0] = heap[place]
        _sink(heap, place, cells)
    for place in range(found):
        cells[touched[place]] = 0
        scratch.met[touched[place]] = 0
    return items, scores


@njit(cache=True, nogil=True)
def _worse(left, right, cells):
    if cells[left] != cells[right]:
        return cells[left] < cells[right]
    return left > right


@njit(cache=True, nogil=True)
def _rise(heap, place, cells):
    while place > 0:
        parent = (place - 1) // 2
        if not _worse(heap[place], heap[parent], cells):
            return
        heap[place], heap[parent] = heap[parent], heap[place]
        place = parent


@njit(cache=True, nogil=True)
def _sink(heap, size, cells):
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            return
        if child + 1 < size and _worse(heap[child + 1], heap[child], cells):
            child += 1
        if not _worse(heap[child], heap[place], cells):
            return
        heap[place], heap[child] = heap[child], heap[place]
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
