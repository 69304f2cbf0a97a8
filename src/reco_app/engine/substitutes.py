"""What can take a product's place: alike in the catalogue, and looked at in the same sessions.

What is bought together without being looked at together completes a product instead
(McAuley et al., 2015, "Inferring networks of substitutable and complementary products").
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reco_app.engine import content, linear, rows, sessions
from reco_app.engine.rows import ItemWeights, heaviest, packed
from reco_app.engine.sessions import BySession

VIEWED = np.uint8(0b0011)  # view, click
BOUGHT = np.uint8(0b1000)
ROW = 60
DOUBT = 2.0  # sessions two products must share before their cosine is half believed
COMPLETES = 0.3  # factor on what is bought but not looked at together


class Substitutes(NamedTuple):
    """Rows of weights between 0 and 1, and whether each pair was looked at together."""

    rows: ItemWeights
    viewed: NDArray[np.uint8]


def substitutes(
    by_session: BySession, described: content.Features, popular: NDArray[np.float32]
) -> Substitutes:
    """Substitutes of N items; without views or descriptions, what shares their sessions."""
    count = len(popular)
    alike = content.alike(described, popular, row=ROW)
    viewed = sessions.only(by_session, VIEWED)
    bought = sessions.only(by_session, BOUGHT)
    if not len(viewed.items):
        if not len(alike.items):
            alike = _together(by_session, count)
        return Substitutes(alike, np.zeros(len(alike.items), np.uint8))
    completing = _together(bought, count) if len(bought.items) else rows.empty(count)
    counts, items, weights, seen = _blended(alike, _together(viewed, count), completing)
    return Substitutes(packed(counts, items, weights), seen)


def _together(by_session: BySession, count: int) -> ItemWeights:
    return linear.cosine(by_session, sessions.invert(by_session, count), row=ROW, doubt=DOUBT)


@njit(cache=True, nogil=True)
def _blended(alike, viewed, bought):  # type: ignore[no-untyped-def]
    """Half the likeness and half the root of the cosine of views, less for complements."""
    count = len(alike.start) - 1
    values = np.zeros(count, np.float32)
    seen = np.zeros(count, np.uint8)
    factor = np.ones(count, np.float32)
    limit = len(alike.items) + len(viewed.items)
    counts = np.zeros(count, np.int64)
    items = np.empty(limit, np.int32)
    weights = np.empty(limit, np.float32)
    was_seen = np.empty(limit, np.uint8)
    filled = 0
    for item in range(count):
        like = alike.items[alike.start[item] : alike.start[item + 1]]
        watched = viewed.items[viewed.start[item] : viewed.start[item + 1]]
        completing = bought.items[bought.start[item] : bought.start[item + 1]]
        values[like] += alike.weights[alike.start[item] : alike.start[item + 1]] / 2
        values[watched] += np.sqrt(viewed.weights[viewed.start[item] : viewed.start[item + 1]]) / 2
        seen[watched] = 1
        factor[completing] = COMPLETES
        factor[watched] = 1
        either = np.unique(np.concatenate((like, watched)))
        best, scores = heaviest(either, values[either] * factor[either], ROW)
        last = filled + len(best)
        items[filled:last], weights[filled:last] = best, scores
        was_seen[filled:last] = seen[best]
        filled = last
        counts[item] = len(best)
        values[either] = 0
        seen[watched] = 0
        factor[completing] = 1
    return counts, items[:filled].copy(), weights[:filled].copy(), was_seen[:filled].copy()
