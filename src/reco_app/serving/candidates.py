"""What could be shown, best first: the engine's ranking, and products newer than the release."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine.model import Model
from reco_app.engine.rank import SOURCES, ContextItem, rank
from reco_app.serving.shelf import Shelf

NEW = SOURCES.index("new")
BELOW = 0.999  # what is added at the end of a list stays under what is there
DEEPER, DEEPEST = 4, 8_000  # each time that variants of few products were all that was found
NEWCOMERS = 2_000  # sorting a whole catalogue for every answer took 20 ms


class Candidates(NamedTuple):
    """k products, one of each group of variants, best first."""

    positions: NDArray[np.int32]
    scores: NDArray[np.float64]
    sources: NDArray[np.uint8]
    """Places in the engine's SOURCES."""
    shares: NDArray[np.float32]
    """k x context: how much each product at hand drove the result; rows sum to 1 or 0."""

    def at(self, rows: NDArray[np.int64]) -> "Candidates":
        return Candidates(
            self.positions[rows], self.scores[rows], self.sources[rows], self.shares[rows]
        )


def collect(
    model: Model | None,
    shelf: Shelf,
    context: Sequence[ContextItem],
    *,
    scenario: str,
    allowed: NDArray[np.uint8],
    last: NDArray[np.int64],
    depth: int,
    needed: int,
) -> Candidates:
    """At least `needed` candidates if that many (one of a group) are allowed.

    `depth`, which the engine is asked for first, must not follow from `needed` alone: candidates
    of a smaller `needed` are the first of those of a larger one. `allowed` covers the whole shelf.
    `last` holds whole groups of variants, which come after all else.
    """
    open_places = allowed
    if len(last):
        open_places = allowed.copy()
        open_places[last] = 0
    asked = (model, shelf, context, scenario)
    found = _collected(*asked, open_places, depth, needed)
    missing = needed - len(found.positions)
    if missing <= 0 or not allowed[last].any():
        return found
    places_left = np.zeros_like(allowed)
    places_left[last] = allowed[last]
    more = _collected(*asked, places_left, depth, missing)
    return _joined([found, _under(more, [found])], shelf)


def _collected(
    model: Model | None,
    shelf: Shelf,
    context: Sequence[ContextItem],
    scenario: str,
    allowed: NDArray[np.uint8],
    depth: int,
    needed: int,
) -> Candidates:
    first = len(model.item_ids) if model else 0
    newest_first = scenario == "new" or model is None
    found = [_newcomers(first, shelf, len(context), allowed, needed)] if newest_first else []
    count = sum(len(part.positions) for part in found)
    open_places = allowed
    for part in found:
        open_places = _without(open_places, part, shelf)
    while model is not None and count < needed:
        ranked = rank(model, context, scenario=scenario, mask=open_places[:first], count=depth)
        part = _first_of_groups(Candidates(*ranked), shelf)
        found.append(_under(part, found))
        count += len(part.positions)
        if count < needed:
            open_places = _without(open_places, part, shelf)
        if len(ranked.items) < depth:  # nothing else may appear
            break
        depth = min(depth * DEEPER, DEEPEST)
    if not newest_first and count < needed:
        newcomers = _newcomers(first, shelf, len(context), open_places, needed - count)
        found.append(_under(newcomers, found))
    return found[0] if len(found) == 1 else _joined(found, shelf)


def _joined(found: Sequence[Candidates], shelf: Shelf) -> Candidates:
    joined = Candidates(*(np.concatenate(column) for column in zip(*found, strict=True)))
    return _first_of_groups(joined, shelf)


def _newcomers(
    first: int, shelf: Shelf, context_length: int, allowed: NDArray[np.uint8], needed: int
) -> Candidates:
    """Allowed products from position `first`, which the release does not know, newest first.

    Before the first release that is the whole catalogue: the newest few are enough, unless too
    many of them are variants of one another.
    """
    positions = np.flatnonzero(allowed[first:]).astype(np.int32) + np.int32(first)
    few = _newest(positions, shelf, context_length, most=NEWCOMERS)
    if len(few.positions) >= needed or len(positions) <= NEWCOMERS:
        return few
    return _newest(positions, shelf, context_length, most=len(positions))


def _newest(
    positions: NDArray[np.int32], shelf: Shelf, context_length: int, *, most: int
) -> Candidates:
    published_at = shelf.columns.published_at
    if most < len(positions):
        oldest_first = np.argpartition(published_at[positions], -most)
        positions = np.sort(positions[oldest_first[-most:]])
    positions = positions[np.lexsort((positions, -published_at[positions]))]
    found = Candidates(
        positions,
        np.power(BELOW, np.arange(len(positions))),
        np.full(len(positions), NEW, np.uint8),
        np.zeros((len(positions), context_length), np.float32),
    )
    return _first_of_groups(found, shelf)


def _first_of_groups(found: Candidates, shelf: Shelf) -> Candidates:
    """Of each group of variants only the first; products without variants all stay."""
    if not shelf.has_variants:
        return found
    groups = shelf.columns.group[found.positions]
    if not (groups >= 0).any():
        return found
    keys = np.where(groups >= 0, groups, -1 - found.positions)
    return found.at(np.sort(np.unique(keys, return_index=True)[1]))


def _without(open_places: NDArray[np.uint8], found: Candidates, shelf: Shelf) -> NDArray[np.uint8]:
    """A copy in which neither what was found is left nor any variant of it."""
    left = open_places.copy()
    left[found.positions] = 0
    left[shelf.variants.members(shelf.columns.group[found.positions])] = 0
    return left


def _under(part: Candidates, found: Sequence[Candidates]) -> Candidates:
    """Scores of a later part continue below the last one of the parts before."""
    lowest = next((float(p.scores[-1]) for p in reversed(found) if len(p.scores)), None)
    if lowest is None:
        return part
    return part._replace(scores=part.scores * lowest * BELOW)
