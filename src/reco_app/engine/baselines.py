"""What the engine is measured against: well-known methods in plain numpy and scipy."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from reco_app.engine.index import Index
from reco_app.engine.linear import closed_form

EASE_ITEMS = 6_000  # a dense inverse beyond this takes minutes and gigabytes
SAMPLE, NEIGHBOURS, LAST_ITEMS, IDF_WEIGHT = 1_502, 288, 4, 2.0  # Serenade's best

Scorer = Callable[[NDArray[np.int64]], NDArray[np.floating]]
"""Scores of all N items for a context of items, oldest first."""


def next_item(index: Index) -> Mapping[str, Scorer]:
    """Baselines for what comes next in a session."""
    together = _together(index)
    return {
        "popularity": partial(_popularity, np.diff(index.item_start).astype(np.float64)),
        "association": partial(_last_row, together),
        "cosine": partial(_last_row, _cosine(together, index)),
        "vmis": partial(_vmis, index),
    }


def basket(index: Index) -> Mapping[str, Scorer]:
    """Baselines for what else is in a basket."""
    together = _together(index)
    own = np.maximum(np.diff(index.item_start), 1)
    scorers: dict[str, Scorer] = {
        "popularity": partial(_popularity, np.diff(index.item_start).astype(np.float64)),
        "association": partial(_summed_rows, sparse.diags_array(1 / own) @ together),
        "cosine": partial(_summed_rows, _cosine(together, index)),
    }
    if together.shape[0] <= EASE_ITEMS:
        gram = (together + sparse.diags_array(own.astype(np.float32))).toarray()
        scorers["ease"] = partial(_summed_dense_rows, closed_form(gram, ridge=40.0))
    return scorers


def _together(index: Index) -> sparse.csr_array:
    """Sessions that two items share; nothing on the diagonal."""
    shape = (len(index.session_at), len(index.idf))
    ones = np.ones(len(index.session_items), np.float32)
    sessions = sparse.csr_array((ones, index.session_items, index.session_start), shape)
    together = (sessions.T @ sessions).tocsr()
    together.setdiag(0)
    return together


def _cosine(together: sparse.csr_array, index: Index) -> sparse.csr_array:
    scale = sparse.diags_array(1 / np.sqrt(np.maximum(np.diff(index.item_start), 1)))
    return (scale @ together @ scale).tocsr()


def _popularity(counts: NDArray[np.float64], context: NDArray[np.int64]) -> NDArray[np.float64]:
    return counts


def _last_row(matrix: sparse.csr_array, context: NDArray[np.int64]) -> NDArray[np.float64]:
    return _summed_rows(matrix, context[-1:])


def _summed_rows(matrix: sparse.csr_array, context: NDArray[np.int64]) -> NDArray[np.float64]:
    if not len(context):
        return np.zeros(matrix.shape[1])
    return np.asarray(matrix[context].sum(axis=0), np.float64).ravel()


def _summed_dense_rows(
    matrix: NDArray[np.float32], context: NDArray[np.int64]
) -> NDArray[np.float32]:
    return np.asarray(matrix[context].sum(axis=0))


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
