"""Ranking: from the products at hand to a full list of what may follow, with its reasons.

Session kNN after VMIS-kNN (Kersbergen et al., 2022) with the weights of STAN (Garg et al., 2019);
blended with the likeness of item embeddings; item-item weights for baskets after EASE (Steck,
2019). Tiers follow one another until the list
is full; the mask holds in each of them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine import arrange, delta, json_kernels, tiers, together
from reco_app.engine.index import PURCHASE
from reco_app.engine.model import Model
from reco_app.engine.tiers import BELOW, Context, Found, Request, Tier

SOURCES = tiers.SOURCES
SCENARIOS = tuple(tiers.TIERS)
EVIDENCE = json_kernels.EVIDENCE
# What was bought together is no evidence that one can take the other's place.
PREFERRED = dict.fromkeys(SCENARIOS, together.STRONGER) | {
    "basket": together.BOUGHT,
    "similar": together.MET,
}


class ContextItem(NamedTuple):
    """One product at hand: places in the model's items and in EVENT_TYPES."""

    item: int
    event_type: int = 0
    quantity: float = 1
    age_seconds: float = 0.0


class Drivers(NamedTuple):
    """Products at hand that drove results, one entry for each."""

    rows: list[int]
    """Of the results."""
    causes: list[int]
    """Places in the model's items."""
    evidence: list[int]
    """Places in EVIDENCE."""
    sessions: list[int]
    """That bought both, or else met both; 0 for what is merely similar."""
    shares: list[float]
    """Of the results' scores, to four decimals."""


class Ranked(NamedTuple):
    """k results, best first; scores fall between 0 and 1 and never rise."""

    items: NDArray[np.int32]
    scores: NDArray[np.float64]
    sources: NDArray[np.uint8]
    """Places in SOURCES."""
    shares: NDArray[np.float32]
    """k x context; rows sum to 1, or to 0 where nothing of the context drove the result."""


def rank(
    model: Model,
    context: Sequence[ContextItem],
    *,
    scenario: str,
    mask: NDArray[np.uint8],
    count: int,
) -> Ranked:
    """The best `count` items for the context, oldest first, among those with `mask[item] == 1`.

    Always min(count, mask.sum()) distinct items. The mask must also leave out the context's own
    items if they must not come back. Raises KeyError for an unknown scenario.
    """
    order = tiers.TIERS[scenario]
    scratch = model.scratch.take()
    found = _fill(Request(model, _columns(context), readonly(mask), scratch), order, count)
    model.scratch.give_back(scratch)
    return _joined(found, len(context))


def drivers(
    model: Model,
    items: NDArray[np.int32],
    context: Sequence[ContextItem],
    shares: NDArray[np.float32],
    *,
    scenario: str,
    most: int,
    least: float,
) -> Drivers:
    """What drove each of k items most, row by row and the largest of its k x context shares first.

    At most `most` a row; none but the first with a share below `least`.
    """
    index = model.index
    lists = (index.item_start, index.item_sessions, index.item_kinds)
    causes = np.array([entry.item for entry in context], np.int32)
    memory = model.counting.take()
    told, parts = together.drivers(
        lists,
        (items, causes, shares),
        most,
        least,
        PURCHASE,
        PREFERRED[scenario],
        memory,
        model.pairs.counted,
    )
    model.counting.give_back(memory)
    rows, of, evidence, sessions = told.tolist()
    return Drivers(rows, of, evidence, sessions, parts.tolist())


def warm(model: Model) -> None:
    """Compile, or load from the cache, all that answering needs; slow only the first time."""
    mask = np.ones(len(model.item_ids), np.uint8)
    context = [ContextItem(0, 0, 1, 0.0)] if len(mask) else []
    for scenario in SCENARIOS:
        rank(model, context, scenario=scenario, mask=mask, count=min(12, len(mask)))
    first, shares = np.zeros(len(context), np.int32), np.ones((len(context), 1), np.float32)
    drivers(model, first, context, shares, scenario="session", most=1, least=0.0)
    arrange.warm(model.index.vectors)
    if context:
        delta.warm(model)


def _columns(context: Sequence[ContextItem]) -> Context:
    items, kinds, quantities, ages = zip(*context, strict=True) if context else ((), (), (), ())
    return Context(
        np.array(items, np.int32),
        np.array(kinds, np.uint8),
        np.array(quantities, np.float32),
        np.array(ages, np.float32),
    )


def readonly(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One compiled form for all callers: masks that are written to and masks that are not."""
    if not mask.flags.writeable:
        return mask
    view = mask.view()
    view.flags.writeable = False
    return view


def _fill(request: Request, order: Sequence[Tier], count: int) -> list[Found]:
    found: list[Found] = []
    ceiling = 1.0
    for tier in order:
        if count == 0:
            break
        part = tier(request, count)
        if not len(part.items):
            continue
        if found:
            part = part._replace(scores=part.scores * ceiling * BELOW)
        ceiling = float(part.scores[-1])
        count -= len(part.items)
        if count:
            request.scratch.taken[part.items] = 1
        found.append(part)
    for part in found:
        request.scratch.taken[part.items] = 0
    return found


def _joined(found: Sequence[Found], context_length: int) -> Ranked:
    if not found:
        return Ranked(
            np.empty(0, np.int32),
            np.empty(0),
            np.empty(0, np.uint8),
            np.empty((0, context_length), np.float32),
        )
    if len(found) == 1:
        return Ranked(*found[0])
    return Ranked(*(np.concatenate(column) for column in zip(*found, strict=True)))
