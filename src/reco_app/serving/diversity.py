"""The order in which results are shown, when more than their scores counts."""

import numpy as np
from numpy.typing import NDArray

from reco_app.serving.shelf import Columns

SAME_CATEGORY = 0.7
SAME_BRAND = 0.3


def spread(
    positions: NDArray[np.int32],
    relevance: NDArray[np.float64],
    columns: Columns,
    *,
    diversity: float,
    count: int,
) -> NDArray[np.int64]:
    """Maximal marginal relevance (Carbonell and Goldstein, 1998) over category and brand.

    Returns the rows of the `count` chosen, first one first. A larger `count` only adds to the
    end, and a diversity of 0 is the order of relevance.
    """
    categories, brands = columns.categories[positions], columns.brand[positions]
    likeness = np.zeros(len(positions))
    left = np.ones(len(positions), np.bool_)
    chosen = []
    for _ in range(min(count, len(positions))):
        worth = (1.0 - diversity) * relevance - diversity * likeness
        row = int(np.argmax(np.where(left, worth, -np.inf)))
        chosen.append(row)
        left[row] = False
        same_category = (categories == categories[row]) & (categories[row] >= 0)
        same_brand = (brands == brands[row]) & (brands[row] >= 0)
        np.maximum(likeness, SAME_CATEGORY * same_category + SAME_BRAND * same_brand, out=likeness)
    return np.array(chosen, np.int64)


def within_budget_first(
    relevance: NDArray[np.float64], prices: NDArray[np.float64], *, remaining: float
) -> NDArray[np.float64]:
    """Relevance in which all that fits the budget comes before all that does not."""
    with np.errstate(invalid="ignore"):
        fits = prices <= remaining
    return relevance + fits * (float(relevance.max(initial=0.0)) + 1.0)
