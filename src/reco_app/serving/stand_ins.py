"""Products that speak for one that the release does not know yet: chosen by its card alone."""

import numpy as np

from reco_app.engine.model import Model
from reco_app.serving.codes import PATH_SEPARATOR, upward
from reco_app.serving.shelf import Shelf

STAND_INS = 3


def stand_ins(position: int, shelf: Shelf, model: Model) -> list[int]:
    """Positions of what is chosen most of its finest category, or else of its brand.

    Within the category its own brand counts double. None where nobody chose anything like it.
    """
    popular = model.index.popular
    own_brand = shelf.columns.brand[: len(popular)] == shelf.columns.brand[position]
    own_brand &= shelf.columns.brand[position] >= 0
    alike = (shelf.in_category(path)[: len(popular)] for path in _finest_first(shelf, position))
    for inside in (*alike, own_brand):
        rows = np.flatnonzero(inside & (popular > 0))
        if len(rows):
            worth = popular[rows] * (1.0 + own_brand[rows])
            best: list[int] = rows[np.argsort(-worth, kind="stable")[:STAND_INS]].tolist()
            return best
    return []


def _finest_first(shelf: Shelf, position: int) -> list[str]:
    """Its category paths and all above them, the longest first."""
    paths = {above for path in shelf.paths(position) for above in upward(path)}
    return sorted(paths, key=lambda path: (-path.count(PATH_SEPARATOR), path))
