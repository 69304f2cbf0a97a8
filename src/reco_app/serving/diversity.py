"""The order in which results are shown, when more than their scores counts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine import arrange, together
from reco_app.engine.arrange import Arranged, Traits
from reco_app.engine.model import Model
from reco_app.serving.contracts import Budget
from reco_app.serving.shelf import Columns

MOST_TOLD = together.MOST_TOLD
LEAST_SHARE = 0.05  # of its score, to be told
COVERED = 60  # candidates that may stand for a product at hand; see docs/ranking.md
MOST_AT_HAND = 64  # of those at hand, the newest: what speaks for newcomers makes them more
NO_VECTORS = np.zeros((0, 1), np.float32)
NO_VECTORS.flags.writeable = False


class Budgeted(NamedTuple):
    """What a budget makes of k candidates."""

    factors: NDArray[np.float64]
    """1 to 2: what fills the gap to free shipping with little to spare counts most."""
    later: NDArray[np.uint8]
    """1: costs more than what is left to spend, or has no known price."""


def budgeted(budget: Budget, prices: NDArray[np.float64]) -> Budgeted:
    """Prices in the shop's currency, NaN where unknown."""
    factors, later = np.ones(len(prices)), np.zeros(len(prices), np.uint8)
    with np.errstate(invalid="ignore"):
        if isinstance(budget.free_shipping_gap, str):
            gap = float(budget.free_shipping_gap)
            fills = prices >= max(gap, 0.0001)
            factors[fills] += gap / prices[fills]
        if isinstance(budget.remaining, str):
            later[~(prices <= float(budget.remaining))] = 1
    return Budgeted(factors, later)


def arranged(
    positions: NDArray[np.int32],
    relevance: NDArray[np.float64],
    later: NDArray[np.uint8],
    covers: NDArray[np.uint64],
    columns: Columns,
    model: Model | None,
    *,
    diversity: float,
    count: int,
) -> Arranged:
    """The first `count` of k candidates of the shelf; see engine.arrange."""
    return arrange.arrange(
        relevance / max(float(relevance.max(initial=0.0)), 1e-12),
        later,
        _traits(positions, columns, model),
        covers,
        diversity=diversity,
        count=count,
    )


def no_coverage(size: int) -> NDArray[np.uint64]:
    """Nothing at hand needs a place of its own."""
    return np.zeros(size, np.uint64)


def coverage(
    shares: NDArray[np.float32], relevance: NDArray[np.float64], later: NDArray[np.uint8]
) -> NDArray[np.uint64]:
    """Which products at hand each of k candidates stands for: those told as its reasons.

    Only the best candidates count: nothing far down the list is worth a place at its top.
    """
    covers = no_coverage(len(relevance))
    best = np.lexsort((-relevance, later))[:COVERED]
    best = best[later[best] == 0]
    at_hand = np.ascontiguousarray(shares[best, -MOST_AT_HAND:])
    covers[best] = arrange.stands_for(at_hand, MOST_TOLD, LEAST_SHARE)
    return covers


def _traits(positions: NDArray[np.int32], columns: Columns, model: Model | None) -> Traits:
    rows = np.full(len(positions), -1, np.int32)
    vectors = NO_VECTORS
    if model is not None:
        known = positions < len(model.item_ids)
        rows[known] = model.index.vector_place[positions[known]]
        vectors = model.index.vectors
    return Traits(columns.categories[positions], columns.brand[positions], rows, vectors)
