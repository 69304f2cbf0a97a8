"""Rows of item-item weights, packed one after another: what goes with each item, heaviest first."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class ItemWeights(NamedTuple):
    """Rows of the weights furthest from 0, heaviest first, for N items."""

    start: NDArray[np.int64]
    items: NDArray[np.int32]
    weights: NDArray[np.float32]


def packed(
    counts: NDArray[np.int64], items: NDArray[np.int32], weights: NDArray[np.float32]
) -> ItemWeights:
    """Rows from their lengths."""
    return ItemWeights(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), items, weights)


def empty(item_count: int) -> ItemWeights:
    """A row without weights for each item."""
    return packed(np.zeros(item_count, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))


@njit(cache=True, nogil=True)
def heaviest(candidates, values, limit):  # type: ignore[no-untyped-def]
    """Candidates with the largest values first; equal ones in their own order."""
    if len(candidates) > limit:
        threshold = np.partition(values, len(values) - limit)[len(values) - limit]
        keep = np.flatnonzero(values >= threshold)
        candidates = candidates[keep]
        values = values[keep]
    order = np.argsort(candidates)
    candidates = candidates[order]
    values = values[order]
    order = np.argsort(-values, kind="mergesort")[:limit]
    return candidates[order], values[order]
