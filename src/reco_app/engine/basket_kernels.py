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
from reco_app.engine.kernels import add_pairs, neighbours, part_match, share_out, weigh
from reco_app.engine.linear_kernels import scale_category, scores, share_weights
from reco_app.engine.parameters import BasketNeighbourhood
from reco_app.engine.rows import empty


class Baskets(NamedTuple):
    """What is read of S sessions and N items to find baskets alike."""

    session_start: NDArray[np.int64]
    session_items: NDArray[np.int32]
    session_weight: NDArray[np.float32]  # S: newer and shorter ones count more
    item_start: NDArray[np.int64]
    item_sessions: NDArray[np.int32]
    match_weight: NDArray[np.float32]  # N: what a shared item is worth
    pair_start: NDArray[np.int64]  # rows of what baskets since then say
    pair_items: NDArray[np.int32]
    pair_weights: NDArray[np.float32]


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
        *empty(0),
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
    pairs = (index.pair_start, index.pair_items, index.pair_weights)
    if len(index.pair_items):
        found = add_pairs(items, weights, pairs, scratch, found)
    scale_category(items, categories[0], categories[1], scratch, found)
    ranked, ranked_scores = take_best(scratch, found, mask, limit)
    nearest = (sessions, values, shared)
    shares = _shares(items, weights, rows, nearest, index, settings, ranked, scratch.places)
    return ranked, ranked_scores, shares


@njit(cache=True, nogil=True)
def rank_by_weights_and_pairs(context, weighing, rows, pairs, categories, mask, scratch, limit):
    """The same without baskets: by item-item weights, and what baskets since then say."""
    items, kinds, quantities, ages = context
    weights = weigh(items, kinds, quantities, ages, weighing)
    found = scores(items, weights, rows, scratch)
    if len(pairs[1]):
        found = add_pairs(items, weights, pairs, scratch, found)
    scale_category(items, categories[0], categories[1], scratch, found)
    ranked, ranked_scores = take_best(scratch, found, mask, limit)
    shares = np.zeros((len(ranked), len(items)), np.float32)
    for row in range(len(ranked)):
        scratch.places[ranked[row]] = row
    share_weights(items, weights, rows, scratch.places, shares)
    if len(pairs[1]):
        share_weights(items, weights, pairs, scratch.places, shares)
    share_out(ranked, scratch.places, shares)
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
    shares = np.zeros((len(ranked), len(items)), np.float32)
    for row in range(len(ranked)):
        places[ranked[row]] = row
    share_weights(items, weights, rows, places, shares)
    if len(index.pair_items):
        pairs = (index.pair_start, index.pair_items, index.pair_weights)
        share_weights(items, weights, pairs, places, shares)
    if settings.weight > 0:
        _share_baskets(items, weights, nearest, index, places, shares)
    share_out(ranked, places, shares)
    return shares


@njit(cache=True, nogil=True)
def _share_baskets(items, weights, nearest, index, places, shares):
    """A basket speaks for the context items that it holds, in parts of what made it alike."""
    sessions, values, shared = nearest
    parts = np.zeros(len(items), np.float32)
    for place in range(len(sessions)):
        total = part_match(items, weights, shared[place], index, parts)
        first = index.session_start[sessions[place]]
        for item in index.session_items[first : index.session_start[sessions[place] + 1]]:
            if places[item] >= 0:
                for column in range(len(items)):
                    shares[places[item], column] += values[place] * parts[column] / total
