"""The order in which candidates are shown, when more than their scores counts.

Maximal marginal relevance (Carbonell and Goldstein, 1998) over item embeddings, with a bound on
what one category may take, and a place for every product at hand that something goes with.
"""

# Compiled code has types of its own, which mypy cannot see.
# mypy: disable-error-code="no-untyped-def"

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reco_app.engine.likeness import dot
from reco_app.engine.together import strongest

SAME_CATEGORY = 0.7  # likeness of two of which one has no vector
SAME_BRAND = 0.3
BY_RELEVANCE, BY_DIVERSITY, BY_COVERAGE = range(3)
"""Why a candidate got its place: none left was more relevant, or what put it before those."""


class Traits(NamedTuple):
    """What makes k candidates alike; -1 where unknown."""

    categories: NDArray[np.int32]
    brands: NDArray[np.int32]
    vector_rows: NDArray[np.int32]
    """Rows of `vectors`."""
    vectors: NDArray[np.float32]
    """Unit rows; read-only."""


class Arranged(NamedTuple):
    """Rows of the candidates, first one first, and why each got its place (BY_…)."""

    rows: NDArray[np.int64]
    causes: NDArray[np.uint8]


def arrange(
    relevance: NDArray[np.float64],
    later: NDArray[np.uint8],
    traits: Traits,
    covers: NDArray[np.uint64],
    *,
    diversity: float,
    count: int,
) -> Arranged:
    """The first `count` of k candidates; a larger count only adds to the end.

    `relevance` is 0 to 1, `later` is 1 for what comes after all others, `covers` has a bit for
    each product at hand that a candidate stands for (none where `later` is 1). Of the first p
    places one category has at most 1 + (1 - diversity)(p - 1), rounded, unless all that is left
    is of categories that have that much: then one with the fewest goes on. Where candidates cover
    s of the products at hand, the first s places cover them all; a candidate is moved up for it
    as late as can be. A diversity of 0 with nothing to cover is the order of relevance.
    """
    order = np.lexsort((np.arange(len(relevance)), -relevance, later))
    rows, causes = _arranged(order, relevance, later, traits, covers, float(diversity), count)
    return Arranged(rows, causes)


def stands_for(shares: NDArray[np.float32], most: int, least: float) -> NDArray[np.uint64]:
    """A bit for each of the at most 64 products at hand that are among the `most` that drove a
    candidate most, none by a share below `least`; `shares` is k x products at hand."""
    return np.asarray(_stands_for(shares, most, least))


def warm(vectors: NDArray[np.float32]) -> None:
    """Compile, or load from the cache; `vectors` as they will be given."""
    none = np.full(1, -1, np.int32)
    covers = stands_for(np.ones((1, 1), np.float32), 1, 0.0)
    traits = Traits(none, none, none, vectors)
    arrange(np.ones(1), np.zeros(1, np.uint8), traits, covers, diversity=0.5, count=1)


@njit(cache=True, nogil=True)
def _stands_for(shares, most, least):
    covers = np.zeros(len(shares), np.uint64)
    rows, columns = strongest(shares, most, least)
    for place in range(len(rows)):
        covers[rows[place]] |= np.uint64(1) << np.uint64(columns[place])
    return covers


@njit(cache=True, nogil=True)
def _arranged(order, relevance, later, traits, covers, diversity, count):
    size = min(count, len(order))
    rows = np.empty(size, np.int64)
    causes = np.zeros(size, np.uint8)
    likeness = np.zeros(len(order))  # to the first `looked_at` of those chosen
    looked_at = np.zeros(len(order), np.int64)
    shown = np.zeros(_highest(traits.categories) + 2, np.int64)  # the last is for no category
    uncovered = _any_of(covers)
    supported = _bits(uncovered)
    for place in range(size):
        waiting = _bits(uncovered)
        needed = uncovered if waiting > 0 and waiting >= supported - place else np.uint64(0)
        queue = order[: _first_part(order, later)]
        found = (likeness, looked_at, rows[:place])
        rules = (covers, needed, traits.categories, shown)
        most = 0.5 + (1.0 - diversity) * place if diversity > 0 else np.inf
        at = _worthiest(queue, relevance, traits, diversity, found, rules, most)
        if at < 0:
            most = _fewest(queue, rules) + 1.0
            at = _worthiest(queue, relevance, traits, diversity, found, rules, most)
        if at > 0:
            passed_over = needed and not covers[order[0]] & needed
            causes[place] = BY_COVERAGE if passed_over else BY_DIVERSITY
        best = order[at]
        rows[place] = best
        uncovered &= ~covers[best]
        shown[traits.categories[best]] += 1
        for next_at in range(at, 0, -1):
            order[next_at] = order[next_at - 1]
        order = order[1:]
    return rows, causes


@njit(cache=True, nogil=True)
def _worthiest(queue, relevance, traits, diversity, found, rules, most):
    """Where in the queue stands what is relevant and unlike all that is chosen; -1 if none may.

    Likeness only grows, so what was known of it before is a bound that spares most dot products.
    """
    likeness, looked_at, chosen = found
    covers, needed, categories, shown = rules
    best = -1
    highest = -np.inf
    for at in range(len(queue)):
        row = queue[at]
        relevant = (1.0 - diversity) * relevance[row]
        if relevant <= highest:
            break
        if categories[row] >= 0 and shown[categories[row]] >= most:
            continue
        if needed and not covers[row] & needed:
            continue
        worth = relevant - diversity * likeness[row]
        while diversity > 0 and worth > highest and looked_at[row] < len(chosen):
            other = chosen[looked_at[row]]
            likeness[row] = max(likeness[row], _likeness(row, other, traits))
            looked_at[row] += 1
            worth = relevant - diversity * likeness[row]
        if worth > highest:
            best, highest = at, worth
    return best


@njit(cache=True, nogil=True)
def _fewest(queue, rules):
    """The fewest places that the category of any row has which may come next."""
    covers, needed, categories, shown = rules
    fewest = np.iinfo(np.int64).max
    for row in queue:
        if not needed or covers[row] & needed:
            fewest = min(fewest, shown[categories[row]])
    return fewest


@njit(cache=True, nogil=True)
def _first_part(order, later):
    """How many come before those that come later; all, if there are no others."""
    end = 1
    while end < len(order) and later[order[end]] == later[order[0]]:
        end += 1
    return end


@njit(cache=True, nogil=True)
def _any_of(covers):
    found = np.uint64(0)
    for row in range(len(covers)):
        found |= covers[row]
    return found


@njit(cache=True, nogil=True)
def _bits(number):
    count = 0
    while number:
        number &= number - np.uint64(1)
        count += 1
    return count


@njit(cache=True, nogil=True)
def _highest(categories):
    highest = -1
    for category in categories:
        highest = max(highest, category)
    return highest


@njit(cache=True, nogil=True)
def _likeness(row, other, traits):
    """Cosine of the vectors, from 0; by category and brand where one of the two has none."""
    own, others = traits.vector_rows[row], traits.vector_rows[other]
    if own >= 0 and others >= 0:
        return max(dot(traits.vectors[own], traits.vectors[others]), 0.0)
    alike = 0.0
    if traits.categories[row] >= 0 and traits.categories[row] == traits.categories[other]:
        alike += SAME_CATEGORY
    if traits.brands[row] >= 0 and traits.brands[row] == traits.brands[other]:
        alike += SAME_BRAND
    return alike
