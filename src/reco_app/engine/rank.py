"""Ranking: from the products at hand to a full list of what may follow, with its reasons.

Session kNN after VMIS-kNN (Kersbergen et al., 2022) with the weights of STAN (Garg et al., 2019);
item-item weights for baskets after EASE (Steck, 2019). Tiers follow one another until the list
is full; the mask holds in each of them.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine import kernels, together
from reco_app.engine.index import PURCHASE
from reco_app.engine.model import Model, Scratch

SCENARIOS = ("session", "basket", "similar", "trending", "popular", "new")
SOURCES = (
    "session",
    "basket",
    "embedding",
    "content",
    "trending",
    "popular",
    "new",
    "pinned",
)
BELOW = 0.999  # a tier's scores stay under those of the tier before it
NEW_DAYS = 30.0


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


class _Context(NamedTuple):
    items: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    quantities: NDArray[np.float32]
    ages: NDArray[np.float32]


class _Request(NamedTuple):
    model: Model
    context: _Context
    mask: NDArray[np.uint8]
    scratch: Scratch


class _Found(NamedTuple):
    items: NDArray[np.int32]
    scores: NDArray[np.float64]
    source: str
    shares: NDArray[np.float32]


Tier = Callable[[_Request, int], _Found]


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
    tiers = _TIERS[scenario]
    with model.scratch() as scratch:
        request = _Request(model, _columns(context), _readonly(mask), scratch)
        found = _fill(request, tiers, count)
        for part in found:
            scratch.taken[part.items] = 0
    return _joined(found)


def evidence(model: Model, item: int, context_item: int, scenario: str) -> tuple[str, int]:
    """What was counted: sessions with both items, bought in each, or else seen in each."""
    index = model.index
    lists = (index.item_start, index.item_sessions, index.item_kinds)
    bought, viewed = together.shared_sessions(lists, item, context_item, PURCHASE)
    if bought and (scenario == "basket" or bought >= viewed):
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
    if context:
        evidence(model, 0, 0, "session")


def _columns(context: Sequence[ContextItem]) -> _Context:
    return _Context(
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


def _fill(request: _Request, tiers: Sequence[Tier], count: int) -> list[_Found]:
    found: list[_Found] = []
    ceiling = 1.0
    for tier in tiers:
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


def _joined(found: Sequence[_Found]) -> Ranked:
    if not found:
        return Ranked(
            np.empty(0, np.int32), np.empty(0), np.empty(0, np.uint8), np.empty((0, 0), np.float32)
        )
    lengths = [len(part.items) for part in found]
    sources = np.array([SOURCES.index(part.source) for part in found], np.uint8)
    return Ranked(
        np.concatenate([part.items for part in found]),
        np.concatenate([part.scores for part in found]),
        np.repeat(sources, lengths),
        np.concatenate([part.shares for part in found]),
    )


def _session(request: _Request, count: int) -> _Found:
    model, context, mask, scratch = request
    settings = model.parameters.session
    weights = kernels.weigh(*context, model.parameters.session_weighing)
    found, nearest = kernels.session_scores(
        context.items, weights, model.sessions, settings, mask, scratch
    )
    items, scores = kernels.take_best(scratch, found, count)
    shares = kernels.session_shares(
        context.items, weights, model.sessions, settings, nearest, items, scratch.places
    )
    return _Found(items, _squashed(scores), "session", shares)


def _basket(request: _Request, count: int) -> _Found:
    index = request.model.index
    rows = (index.basket_start, index.basket_items, index.basket_weights)
    return _linear(request, count, rows, "basket")


def _similar(request: _Request, count: int) -> _Found:
    index = request.model.index
    rows = (index.similar_start, index.similar_items, index.similar_weights)
    return _linear(request, count, rows, "session")


def _linear(
    request: _Request,
    count: int,
    rows: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]],
    source: str,
) -> _Found:
    model, context, mask, scratch = request
    weights = kernels.weigh(*context, model.parameters.basket_weighing)
    found = kernels.linear_scores(context.items, weights, rows, mask, scratch)
    items, scores = kernels.take_best(scratch, found, count)
    shares = kernels.linear_shares(context.items, weights, rows, items, scratch.places)
    return _Found(items, _squashed(scores), source, shares)


def _content(request: _Request, count: int) -> _Found:
    """The most popular of the categories at hand, those of the newest context items first."""
    index = request.model.index
    found: list[NDArray[np.int32]] = []
    drivers: list[int] = []
    seen: set[int] = {-1}
    for place in range(len(request.context.items) - 1, -1, -1):
        category = int(index.category[request.context.items[place]])
        if category in seen or count == 0:
            continue
        seen.add(category)
        of_category = slice(index.category_start[category], index.category_start[category + 1])
        order = index.category_items[of_category]
        items = kernels.walk(order, request.mask, request.scratch.taken, count)
        found.append(items)
        drivers += [place] * len(items)
        count -= len(items)
    items = np.concatenate([np.empty(0, np.int32), *found])
    shares = np.zeros((len(items), len(request.context.items)), np.float32)
    shares[np.arange(len(items)), drivers] = 1.0
    return _Found(items, np.power(BELOW, np.arange(len(items))) / 2, "content", shares)


def _trending(request: _Request, count: int) -> _Found:
    index = request.model.index
    return _ordered(request, count, index.trending_order, index.trending, "trending")


def _popular(request: _Request, count: int) -> _Found:
    index = request.model.index
    return _ordered(request, count, index.popular_order, index.popular, "popular")


def _new(request: _Request, count: int) -> _Found:
    index = request.model.index
    found = _ordered(request, count, index.new_order, index.popular, "new")
    published_at = index.published_at[found.items]
    newest = index.published_at[index.new_order[0]] if len(index.new_order) else 0.0
    scores = np.exp2((published_at - newest) / (86_400 * NEW_DAYS))
    return found._replace(scores=scores)


def _ordered(
    request: _Request,
    count: int,
    order: NDArray[np.int32],
    values: NDArray[np.float32],
    source: str,
) -> _Found:
    items = kernels.walk(order, request.mask, request.scratch.taken, count)
    highest = float(values.max(initial=0.0)) or 1.0
    shares = np.zeros((len(items), len(request.context.items)), np.float32)
    return _Found(items, values[items].astype(np.float64) / highest, source, shares)


def _squashed(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return scores / (1.0 + scores)


_TIERS: dict[str, tuple[Tier, ...]] = {
    "session": (_session, _similar, _content, _trending, _popular),
    "basket": (_basket, _session, _similar, _trending, _popular),
    "similar": (_similar, _content, _trending, _popular),
    "trending": (_trending, _popular),
    "popular": (_popular,),
    "new": (_new,),
}
