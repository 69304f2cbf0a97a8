"""Which products may appear: one byte for each position of the shelf."""

from collections.abc import Iterable
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from reco_app.serving.contracts import Filter
from reco_app.serving.shelf import Shelf
from runtime import metrics

Mask = NDArray[np.uint8]
# Masks of one byte a product: some 25 MB at a hundred thousand. Whoever asks for as many others
# has them all dropped, which costs the next request for each 0.3 ms at a hundred thousand.
KEPT = 256
_missed = metrics.cache_misses_total.labels("masks")


class Masks:
    """The masks of one shelf, worked out once for each filter that is asked for."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._kept: dict[Filter, Mask] = {}

    def passing(self, chosen: Filter) -> Mask:
        """1 where a product is offered and passes the filter; read-only."""
        mask = self._kept.get(chosen)
        if mask is None:
            _missed.inc()
            if len(self._kept) >= KEPT:
                self._kept.clear()
            mask = _passing(self._shelf, chosen)
            mask.flags.writeable = False
            self._kept[chosen] = mask
        return mask


def without(mask: Mask, positions: Iterable[int]) -> Mask:
    """A copy in which these positions may not appear; -1 (unknown) is passed over."""
    left = mask.copy()
    for position in positions:
        if position >= 0:
            left[position] = 0
    return left


def any_left(mask: Mask) -> bool:
    """Whether anything may appear; looks no further than the first."""
    flags = mask.view(np.bool_)
    return bool(len(flags)) and bool(flags[flags.argmax()])


def _passing(shelf: Shelf, chosen: Filter) -> Mask:
    columns = shelf.columns
    mask = columns.offered.astype(np.bool_)
    if chosen.in_stock:
        mask &= columns.in_stock.astype(np.bool_)
    if chosen.category:
        mask &= shelf.in_categories(chosen.category)
    if chosen.brand:
        mask &= shelf.brands.flags(shelf.brands.find_all(chosen.brand))[columns.brand]
    # A product of unknown price is NaN, which no comparison lets through.
    if chosen.price_min is not None:
        mask &= columns.price >= amount(chosen.price_min)
    if chosen.price_max is not None:
        mask &= columns.price <= amount(chosen.price_max)
    return mask.astype(np.uint8)


def amount(money: str) -> float:
    """The price column's number for a decimal string."""
    return float(Decimal(money))
