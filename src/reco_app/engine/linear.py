"""Item-item weights: what goes with what, as a few hundred weights furthest from 0 a row."""

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.linalg import lapack

from reco_app.engine import regressions
from reco_app.engine.parameters import Linear
from reco_app.engine.rows import ItemWeights, empty, heaviest, packed
from reco_app.engine.sessions import ByItem, BySession

SAMPLE = 5_000  # sessions looked at for one item; the newest say as much as all
SPARSE_ROW = 100
# Of the part of baskets that hold a product, added to its weights: so few baskets tell more of what
# is bought than of what it is bought with (docs/ranking.md).
POPULARITY, FEW_BASKETS = 0.5, 2_000


def cosine(
    by_session: BySession, by_item: ByItem, *, row: int = SPARSE_ROW, doubt: float = 0.0
) -> ItemWeights:
    """Sessions that two items share over the root of the product of their sessions.

    `doubt` is how many shared sessions it takes to believe half of it; 0 believes all.
    """
    lists = (by_session.start, by_session.items, by_item.start, by_item.sessions)
    return packed(*_cosine(lists, row, SAMPLE, np.float32(doubt)))


def basket_weights(by_session: BySession, by_item: ByItem, parameters: Linear) -> ItemWeights:
    """EASE's weights, and a little for what is in many baskets anyway."""
    found = ease(by_session, by_item, parameters)
    popularity = np.diff(by_item.start) / max(len(by_session.at), 1)
    believed = POPULARITY * FEW_BASKETS / (FEW_BASKETS + len(by_session.at))
    weights = found.weights + believed * popularity[found.items]
    return found._replace(weights=weights.astype(np.float32))


def ease(by_session: BySession, by_item: ByItem, parameters: Linear) -> ItemWeights:
    """EASE (Steck 2019), solved for each item among its nearest; without neighbours nothing."""
    if parameters.neighbours < 1:
        return empty(len(by_item.start) - 1)
    weights = _session_weights(by_session, parameters)
    return regressions.regressed(
        regressions.shared_baskets(by_session, by_item, weights),
        ridge=parameters.ridge,
        neighbours=int(parameters.neighbours),
        row=int(parameters.row),
    )


def closed_form(gram: NDArray[np.float32], *, ridge: float) -> NDArray[np.float32]:
    """EASE's weights from item to item, 0 on the diagonal; overwrites the co-purchase counts.

    Raises ArithmeticError if the counts are not positive definite even with the ridge.
    """
    gram[np.diag_indices(len(gram))] += np.float32(ridge)
    factor, failed = lapack.spotrf(gram, lower=1, overwrite_a=1)
    inverse, refused = lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed or refused:
        raise ArithmeticError("the co-purchase matrix could not be inverted; raise the ridge")
    lower = np.tril(inverse, -1)
    symmetric = lower + lower.T
    return np.asarray(-symmetric / np.diag(inverse)[None, :], np.float32)


def _session_weights(by_session: BySession, parameters: Linear) -> NDArray[np.float32]:
    """Newer and shorter baskets say more; an event weighs 1 in the mean."""
    lengths = np.diff(by_session.start)
    days = (by_session.at.max(initial=0.0) - by_session.at) / 86_400.0
    weights = np.exp(-days / parameters.recency_days)
    weights /= np.maximum(lengths, 1) ** parameters.length_power
    total = max((weights * lengths).sum(), 1e-9)
    return np.asarray(weights * lengths.sum() / total, np.float32)


@njit(cache=True, nogil=True)
def _cosine(lists, row, sample, doubt):  # type: ignore[no-untyped-def]
    session_start, session_items, item_start, item_sessions = lists
    count = len(item_start) - 1
    shared = np.zeros(count, np.float32)
    touched = np.empty(count, np.int32)
    counts = np.zeros(count, np.int64)
    items = np.empty(0, np.int32)
    weights = np.empty(0, np.float32)
    filled = 0
    for item in range(count):
        found = 0
        first = item_start[item]
        for pair in range(first, min(item_start[item + 1], first + sample)):
            session = item_sessions[pair]
            for other in session_items[session_start[session] : session_start[session + 1]]:
                if other == item:
                    continue
                if shared[other] == 0:
                    touched[found] = other
                    found += 1
                shared[other] += np.float32(1)
        own = min(item_start[item + 1] - first, sample)
        values = np.empty(found, np.float32)
        for place in range(found):
            other = touched[place]
            theirs = item_start[other + 1] - item_start[other]
            believed = shared[other] / (shared[other] + doubt)
            values[place] = believed * shared[other] / np.sqrt(np.float32(own) * np.float32(theirs))
            shared[other] = 0
        best, best_values = heaviest(touched[:found].copy(), values, row)
        if filled + len(best) > len(items):
            items = np.concatenate((items, np.empty(len(items) + row * 1024, np.int32)))
            weights = np.concatenate((weights, np.empty(len(weights) + row * 1024, np.float32)))
        items[filled : filled + len(best)] = best
        weights[filled : filled + len(best)] = best_values
        filled += len(best)
        counts[item] = len(best)
    return counts, items[:filled].copy(), weights[:filled].copy()
