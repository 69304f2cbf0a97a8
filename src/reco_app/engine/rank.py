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

from reco_app.engine import arrange, tiers, together
from reco_app.engine.index import PURCHASE
from reco_app.engine.model import Model
from reco_app.engine.tiers import BELOW, Context, Found, Request, Tier

SOURCES = tiers.SOURCES
SCENARIOS = tuple(tiers.TIERS)
Places = NDArray[np.int64]


class ContextItem(NamedTuple):
    """One product at hand: places in the model's items and in EVENT_TYPES."""

    item: int
    event_type: int = 0
    quantity: float = 1
    age_seconds: float = 0.0


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
    with model.scratch() as scratch:
        request = Request(model, _columns(context), _readonly(mask), scratch)
        found = _fill(request, order, count)
        for part in found:
            scratch.taken[part.items] = 0
    return _joined(found, len(context))


def drivers(shares: NDArray[np.float32], *, most: int, least: float) -> tuple[Places, Places]:
    """The context items that drove each result most, as rows and columns of `shares`.

    At most `most` a row, the largest share first, none below `least`.
    """
    rows, columns = together.strongest(shares, most, least)
    return rows, columns


def evidence(
    model: Model, items: NDArray[np.int32], causes: NDArray[np.int32], scenario: str
) -> list[tuple[str, int]]:
    """What was counted for each pair of an item and a context item that drove it.

    Sessions with both, bought in each, or else seen in each.
    """
    index = model.index
    lists = (index.item_start, index.item_sessions, index.item_kinds)
    with model.scratch() as scratch:
        bought, viewed = together.shared_sessions(lists, items, causes, PURCHASE, scratch.marks)
    counted = zip(bought.tolist(), viewed.tolist(), strict=True)
    return [_told(*numbers, scenario) for numbers in counted]


def _told(bought: int, viewed: int, scenario: str) -> tuple[str, int]:
    """What was bought together is no evidence that one can take the other's place."""
    if bought and scenario != "similar" and (scenario == "basket" or bought >= viewed):
        return "bought-together", bought
    if viewed:
        return "viewed-together", viewed
    return "similar", 0


def warm(model: Model) -> None:
    """Compile, or load from the cache, all that answering needs; slow only the first time."""
    mask = np.ones(len(model.item_ids), np.uint8)
    context = [ContextItem(0, 0, 1, 0.0)] if len(mask) else []
    for scenario in SCENARIOS:
        rank(model, context, scenario=scenario, mask=mask, count=min(12, len(mask)))
    first = np.zeros(len(context), np.int32)
    evidence(model, first, first, "session")
    drivers(np.ones((1, 1), np.float32), most=1, least=0.0)
    arrange.warm(model.index.vectors)


def _columns(context: Sequence[ContextItem]) -> Context:
    return Context(
        np.array([entry.item for entry in context], np.int32),
        np.array([entry.event_type for entry in context], np.uint8),
        np.array([entry.quantity for entry in context], np.float32),
        np.array([entry.age_seconds for entry in context], np.float32),
    )


def _readonly(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One compiled form for all callers: masks that are written to and masks that are not."""
    view = mask.view(np.uint8)
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
        request.scratch.taken[part.items] = 1
        count -= len(part.items)
        found.append(part)
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
