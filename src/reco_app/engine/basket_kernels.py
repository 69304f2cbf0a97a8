"""The compiled ranking of what completes a basket: item-item weights and baskets alike, as one sum.

Both estimate how probable a product is beside those at hand: the weights from pairs of products,
the nearest baskets from what was bought together with several of them.
"""

# Compiled code has types of its own, which mypy cannot see.
# mypy: disable-error-code="no-untyped-def"

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reco_app.engine.best import take_best
from reco_app.engine.index import PURCHASE, Index
from reco_app.engine.kernels import MOST_MATCHES, neighbours, weigh
from reco_app.engine.linear_kernels import scale_category, scores
from reco_app.engine.parameters import BasketNeighbourhood


class Baskets(NamedTuple):
    """What is read of S sessions and N items to find baskets alike."""

    session_start: NDArray[np.int64]
    session_items: NDArray[np.int32]
    session_weight: NDArray[np.float32]  # S: newer and shorter ones count more
    item_start: NDArray[np.int64]
    item_sessions: NDArray[np.int32]
    match_weight: NDArray[np.float32]  # N: what a shared item is worth


def baskets(index: Index, settings: BasketNeighbourhood) -> Baskets:
    """The sessions of an index as baskets."""
    newest = index.session_at[-1] if len(index.session_at) else 0.0
    recency = np.exp((index.session_at - newest) / (86_400 * settings.recency_days))
    lengths = np.maximum(np.diff(index.session_start), 1)
    return Baskets(
        index.session_start,
        index.session_items,
        (recency / lengths**settings.length_power).astype(np.float32),
        index.item_start,
        index.item_sessions,
        (index.idf**settings.match_idf_power).astype(np.float32),
    )


def sessions_are_baskets(index: Index) -> bool:
    """Whether sessions hold only what was bought, or nothing was: else they hold substitutes."""
    bought = (index.item_kinds & PURCHASE) > 0
    return bool(bought.all() or not bought.any())


@njit(cache=True, nogil=True)
def rank_by_baskets(context, weighing, rows, categories, alike, mask, scratch, limit):
    """The best items: items, scores, and each context item's share in them; rows sum to 1.

    `alike`: Baskets and BasketNeighbourhood.
    """
    items, kinds, quantities, ages = context
    index, settings = alike
    weights = weigh(items, kinds, quantities, ages, weighing)
    found = scores(items, weights, rows, scratch)
    sessions, values, shared = neighbours(items, weights, index, settings, scratch)
    if settings.weight > 0 and len(values):
        values *= np.float32(settings.weight) / values.sum()
        found = _add_baskets(sessions, values, index, scratch, found)
    scale_category(items, categories[0], categories[1], scratch, found)
    ranked, ranked_scores = take_best(scratch, found, mask, limit)
    nearest = (sessions, values, shared)
    shares = _shares(items, weights, rows, nearest, index, settings, ranked, scratch.places)
    return ranked, ranked_scores, shares


@njit(cache=True, nogil=True)
def _add_baskets(sessions, values, index, scratch, found):
    cells, touched, met = scratch.cells, scratch.touched, scratch.met
    for place in range(len(sessions)):
        first = index.session_start[sessions[place]]
        for item in index.session_items[first : index.session_start[sessions[place] + 1]]:
            if not met[item]:
                met[item] = 1
                touched[found] = item
                found += 1
            cells[item] += values[place]
    return found


@njit(cache=True, nogil=True)
def _shares(items, weights, rows, nearest, index, settings, ranked, places):
    """Each context item's part in what speaks for the ranked items."""
    start, others, linear = rows
    shares = np.zeros((len(ranked), len(items)), np.float32)
    for row in range(len(ranked)):
        places[ranked[row]] = row
    for column in range(len(items)):
        if weights[column] <= 0:
            continue
        for pair in range(start[items[column]], start[items[column] + 1]):
            row = places[others[pair]]
            if row >= 0 and linear[pair] > 0:
                shares[row, column] += weights[column] * linear[pair]
    if settings.weight > 0:
        _share_baskets(items, weights, nearest, index, places, shares)
    for row in range(len(ranked)):
        places[ranked[row]] = -1
        total = shares[row].sum()
        if total > 0:
            shares[row] /= total
    return shares


@njit(cache=True, nogil=True)
def _share_baskets(items, weights, nearest, index, places, shares):
    """A basket speaks for the context items that it holds, in parts of what made it alike."""
    sessions, values, shared = nearest
    parts = np.zeros(len(items), np.float32)
    for place in range(len(sessions)):
        total = np.float32(0)
        for column in range(len(items)):
            parts[column] = 0
            age = len(items) - 1 - column
            if age < MOST_MATCHES and (shared[place] >> np.uint64(age)) & np.uint64(1):
                parts[column] = weights[column] * index.match_weight[items[column]]
                total += parts[column]
        first = index.session_start[sessions[place]]
        for item in index.session_items[first : index.session_start[sessions[place] + 1]]:
            if places[item] >= 0:
                for column in range(len(items)):
                    shares[places[item], column] += values[place] * parts[column] / total
