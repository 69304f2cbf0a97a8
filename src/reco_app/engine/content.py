"""Products alike by what the catalogue says of them: title, category, brand and price.

Cosine of tf-idf vectors (Salton and Buckley, 1988), over candidates that share a telling feature.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reco_app.engine.rows import ItemWeights, heaviest, packed

FIELDS = ("word", "size", "category", "brand", "price")
FIELD_WEIGHTS = np.array([1.0, 0.3, 1.2, 0.5, 0.25], np.float32)  # by place in FIELDS
CANDIDATES = 400  # looked at for one item, those with its most telling features first
LEAST = 0.15  # what is less alike is not alike
THREADS = 2
POPULARITY_PART = 0.15  # of equally alike products the popular ones come first


class Features(NamedTuple):
    """What N products are described by: distinct features of each, as CSR."""

    start: NDArray[np.int64]
    """N + 1."""
    features: NDArray[np.int32]
    """Places in `fields`."""
    fields: NDArray[np.uint8]
    """Places in FIELDS, by feature."""


def undescribed(item_count: int) -> Features:
    """Features of products of which nothing is known."""
    return Features(
        np.zeros(item_count + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.uint8)
    )


def alike(described: Features, popular: NDArray[np.float32], *, row: int) -> ItemWeights:
    """For each of N products the `row` most alike, between 0 and 1; N popularities."""
    count = len(popular)
    frequency = np.bincount(described.features, minlength=len(described.fields))
    idf = np.log1p(count / np.maximum(frequency, 1)) * FIELD_WEIGHTS[described.fields]
    owner = np.repeat(np.arange(count, dtype=np.int32), np.diff(described.start))
    most_telling_first = np.lexsort((-idf[described.features], owner))
    features = described.features[most_telling_first]
    norms = np.sqrt(np.bincount(owner, idf[features] ** 2, minlength=count))
    weights = (idf[features] / np.maximum(norms[owner], 1e-9)).astype(np.float32)
    by_feature = np.lexsort((owner, -popular[owner], features))
    posting_start = np.concatenate([[0], np.cumsum(frequency)]).astype(np.int64)
    highest = np.log1p(popular.max(initial=0.0)) or 1.0
    bonus = 1 - POPULARITY_PART + POPULARITY_PART * np.log1p(popular) / highest
    vectors = (described.start, features, weights)
    postings = (posting_start, owner[by_feature])
    settings = (bonus.astype(np.float32), row)
    borders = np.linspace(0, count, THREADS + 1).astype(int).tolist()
    with ThreadPoolExecutor(THREADS) as pool:
        found = [
            pool.submit(_alike, *bounds, vectors, postings, *settings)
            for bounds in pairwise(borders)
        ]
        parts = [part.result() for part in found]
    return packed(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@njit(cache=True, nogil=True)
def _alike(begin, end, vectors, postings, bonus, row):  # type: ignore[no-untyped-def]
    """Those most alike to the items from `begin` to `end`."""
    start, features, _ = vectors
    posting_start, owners = postings
    own = np.zeros(len(posting_start), np.float32)
    seen = np.full(len(start) - 1, -1, np.int32)
    candidates = np.empty(CANDIDATES, np.int32)
    counts = np.zeros(end - begin, np.int64)
    items = np.empty((end - begin) * row, np.int32)
    values = np.empty((end - begin) * row, np.float32)
    filled = 0
    for item in range(begin, end):
        seen[item] = item
        found = 0
        for pair in range(start[item], start[item + 1]):
            first = posting_start[features[pair]]
            last = posting_start[features[pair] + 1]
            for posting in range(first, last):
                if found == CANDIDATES:
                    break
                if seen[owners[posting]] != item:
                    seen[owners[posting]] = item
                    candidates[found] = owners[posting]
                    found += 1
        best, scores = _most_alike(item, candidates[:found], vectors, own, bonus, row)
        items[filled : filled + len(best)] = best
        values[filled : filled + len(best)] = scores
        filled += len(best)
        counts[item - begin] = len(best)
    return counts, items[:filled].copy(), values[:filled].copy()


@njit(cache=True, nogil=True)
def _most_alike(item, candidates, vectors, own, bonus, row):  # type: ignore[no-untyped-def]
    start, features, weights = vectors
    for pair in range(start[item], start[item + 1]):
        own[features[pair]] = weights[pair]
    scores = np.zeros(len(candidates), np.float32)
    for place in range(len(candidates)):
        other = candidates[place]
        for pair in range(start[other], start[other + 1]):
            scores[place] += own[features[pair]] * weights[pair]
    for pair in range(start[item], start[item + 1]):
        own[features[pair]] = 0
    kept = np.flatnonzero(scores >= LEAST)
    chosen = candidates[kept]
    return heaviest(chosen, np.minimum(scores[kept], np.float32(1)) * bonus[chosen], row)
