"""What the engine is measured against: well-known methods in plain numpy and scipy."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from reco_app.engine.index import Index
from reco_app.engine.linear import closed_form

EASE_ITEMS = 6_000  # a dense inverse beyond this takes minutes and gigabytes
EASE_RIDGE = 40.0
SAMPLE, NEIGHBOURS, LAST_ITEMS, IDF_WEIGHT = 1_502, 288, 4, 2.0  # Serenade's best

Scorer = Callable[[NDArray[np.int64]], NDArray[np.floating]]
"""Scores of all N items for a context of items, oldest first."""
Baseline = Callable[[Index], Scorer]


def sessions_by_items(index: Index) -> sparse.csr_array:
    """Ones where a session has an item."""
    shape = (len(index.session_at), len(index.idf))
    ones = np.ones(len(index.session_items), np.float32)
    return sparse.csr_array((ones, index.session_items, index.session_start), shape)


def _together(index: Index) -> sparse.csr_array:
    """Sessions that two items share; nothing on the diagonal."""
    sessions = sessions_by_items(index)
    together = (sessions.T @ sessions).tocsr()
    together.setdiag(0)
    return together


def _sessions_of(index: Index) -> NDArray[np.int64]:
    return np.maximum(np.diff(index.item_start), 1)


def _cosine(index: Index) -> sparse.csr_array:
    scale = sparse.diags_array(1 / np.sqrt(_sessions_of(index)))
    return (scale @ _together(index) @ scale).tocsr()


def _confidence(index: Index) -> sparse.csr_array:
    return (sparse.diags_array(1 / _sessions_of(index)) @ _together(index)).tocsr()


def _popularity(index: Index) -> Scorer:
    counts = np.diff(index.item_start).astype(np.float64)
    return lambda context: counts


def _ease(index: Index) -> Scorer:
    """EASE (Steck, 2019), of a large catalogue among its most frequent items alone."""
    core = np.argsort(-_sessions_of(index), kind="stable")[:EASE_ITEMS]
    sessions = sessions_by_items(index).tocsc()[:, core]
    weights = closed_form((sessions.T @ sessions).toarray(), ridge=EASE_RIDGE)
    place = np.full(len(index.idf), -1)
    place[core] = np.arange(len(core))

    def scores(context: NDArray[np.int64]) -> NDArray[np.floating]:
        found = np.zeros(len(place), np.float32)
        known = place[context]
        found[core] = weights[known[known >= 0]].sum(axis=0)
        return found

    return scores


def _last_row(matrix: sparse.csr_array, context: NDArray[np.int64]) -> NDArray[np.float64]:
    return _summed_rows(matrix, context[-1:])


def _summed_rows(matrix: sparse.csr_array, context: NDArray[np.int64]) -> NDArray[np.float64]:
    if not len(context):
        return np.zeros(matrix.shape[1])
    return np.asarray(matrix[context].sum(axis=0), np.float64).ravel()


def _vmis(index: Index, context: NDArray[np.int64]) -> NDArray[np.float64]:
    """VMIS-kNN (Kersbergen et al., 2022), plain, with the parameters its authors found best."""
    distinct = list(dict.fromkeys(context[::-1].tolist()))[:LAST_ITEMS]
    nearest, similarity = _nearest(index, distinct)
    sizes = index.session_start[nearest + 1] - index.session_start[nearest]
    row = np.repeat(np.arange(len(nearest)), sizes)
    before = np.cumsum(sizes) - sizes
    items = index.session_items[
        index.session_start[nearest[row]] + np.arange(len(row)) - before[row]
    ]
    step = np.full(len(nearest), len(distinct))
    for number in range(len(distinct), 0, -1):
        step[row[items == distinct[number - 1]]] = number
    counts = np.maximum(index.item_start[items + 1] - index.item_start[items], 1)
    idf = np.log(len(index.session_at) / counts)
    added = (similarity * (1 - 0.1 * step))[row] * (1 + IDF_WEIGHT * idf)
    scores = np.asarray(np.bincount(items, added, minlength=len(index.idf)), np.float64)
    scores[context[-1:]] = 0
    return scores


def _nearest(index: Index, distinct: list[int]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The most similar of the newest sessions that share an item, newest item first."""
    starts = [index.item_start[item] for item in distinct]
    ends = [index.item_start[item + 1] for item in distinct]
    shared = [
        index.item_sessions[start : min(end, start + SAMPLE)]
        for start, end in zip(starts, ends, strict=True)
    ]
    weights = 1 - np.arange(len(distinct)) / max(len(distinct), 1)
    found, place = np.unique(np.concatenate([*shared, np.empty(0, np.int64)]), return_inverse=True)
    each = np.repeat(weights, [len(part) for part in shared])
    similarity = np.asarray(np.bincount(place, each), np.float64)
    newest_first = np.arange(len(found))[::-1][:SAMPLE]
    order = newest_first[np.argsort(-similarity[newest_first], kind="stable")[:NEIGHBOURS]]
    return found[order].astype(np.int64), similarity[order]


# Item-item methods look at the newest item of a session, and at all of a basket.
NEXT_ITEM: dict[str, Baseline] = {
    "popularity": _popularity,
    "association": lambda index: partial(_last_row, _together(index)),
    "cosine": lambda index: partial(_last_row, _cosine(index)),
    "ease": _ease,
    "vmis": lambda index: partial(_vmis, index),
}
BASKET: dict[str, Baseline] = NEXT_ITEM | {
    "association": lambda index: partial(_summed_rows, _confidence(index)),
    "cosine": lambda index: partial(_summed_rows, _cosine(index)),
}
