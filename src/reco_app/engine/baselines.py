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
    scores = np.zeros(len(index.idf))
    distinct = list(dict.fromkeys(context[::-1].tolist()))[:LAST_ITEMS]
    similarity: dict[int, float] = {}
    for step, item in enumerate(distinct):
        start = index.item_start[item]
        newest = index.item_sessions[start : min(index.item_start[item + 1], start + SAMPLE)]
        for session in newest.tolist():
            weight = (len(distinct) - step) / len(distinct)
            similarity[session] = similarity.get(session, 0.0) + weight
    newest_first = sorted(similarity, key=lambda session: -session)[:SAMPLE]
    nearest = sorted(newest_first, key=lambda session: -similarity[session])[:NEIGHBOURS]
    counts = np.maximum(np.diff(index.item_start), 1)
    idf = np.log(len(index.session_at) / counts)
    for session in nearest:
        first, last = index.session_start[session], index.session_start[session + 1]
        items = index.session_items[first:last]
        present = set(items.tolist())
        step = next(step for step, item in enumerate(distinct, 1) if item in present)
        match = 1 - 0.1 * step if step < 10 else 0.0
        scores[items] += similarity[session] * match * (1 + IDF_WEIGHT * idf[items])
    scores[context[-1:]] = 0
    return scores


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
