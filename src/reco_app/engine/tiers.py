"""Where results come from: each tier answers with the best that it knows, and says why."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine import basket_kernels, best, kernels, linear_kernels
from reco_app.engine.model import Model
from reco_app.engine.scratch import Scratch

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
SESSION, EMBEDDING, CONTENT = map(SOURCES.index, ("session", "embedding", "content"))
BELOW = 0.999  # a tier's scores stay under those of the tier before it
NEW_DAYS = 30.0
LEAST = 1e-3  # what nothing speaks for has a score above 0, so that rules and tastes can raise it
ALL_COUNT = 1.0  # factor on products of the context's own categories: none


class Context(NamedTuple):
    """The products at hand as columns, oldest first."""

    items: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    quantities: NDArray[np.float32]
    ages: NDArray[np.float32]


class Request(NamedTuple):
    """One ranking: what is asked, what may be shown, and scratch to work it out with."""

    model: Model
    context: Context
    mask: NDArray[np.uint8]
    scratch: Scratch


class Found(NamedTuple):
    """What one tier found, best first: k items, scores above 0, places in SOURCES, k x context."""

    items: NDArray[np.int32]
    scores: NDArray[np.float64]
    sources: NDArray[np.uint8]
    shares: NDArray[np.float32]


Tier = Callable[[Request, int], Found]


def session(request: Request, count: int) -> Found:
    """What followed in sessions like this one, and what keeps such company."""
    model, context, mask, scratch = request
    settings = model.parameters
    return Found(
        *kernels.rank_by_sessions(
            context,
            settings.session_weighing,
            model.sessions,
            settings.session,
            mask,
            scratch,
            count,
            (SESSION, EMBEDDING),
        )
    )


def basket(request: Request, count: int) -> Found:
    """What completes the basket; other products of its own categories rather do not."""
    model, context, mask, scratch = request
    index, settings = model.index, model.parameters
    rows = (index.basket_start, index.basket_items, index.basket_weights)
    categories = (index.category, settings.substitute_factor)
    if model.baskets is None:
        pairs = model.pairs.of_baskets
        items, scores, shares = basket_kernels.rank_by_weights_and_pairs(
            context, settings.basket_weighing, rows, pairs, categories, mask, scratch, count
        )
    else:
        alike = (model.baskets, settings.basket_neighbourhood)
        items, scores, shares = basket_kernels.rank_by_baskets(
            context, settings.basket_weighing, rows, categories, alike, mask, scratch, count
        )
    return Found(items, _squashed(scores), _all_from("basket", items), shares)


def similar(request: Request, count: int) -> Found:
    """What can take the place of the products at hand."""
    index = request.model.index
    rows = (index.similar_start, index.similar_items, index.similar_weights)
    items, scores, shares = _linear(request, count, rows)
    viewed = linear_kernels.any_marked(
        request.context.items, rows, index.similar_viewed, items, request.scratch.places
    )
    sources = np.where(viewed, SESSION, CONTENT).astype(np.uint8)
    return Found(items, scores, sources, shares)


def _linear(
    request: Request,
    count: int,
    rows: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]],
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float32]]:
    model, context, mask, scratch = request
    weighing, categories = model.parameters.basket_weighing, (model.index.category, ALL_COUNT)
    items, scores, shares = linear_kernels.rank_by_weights(
        context, weighing, rows, categories, mask, scratch, count
    )
    return items, _squashed(scores), shares


def category(request: Request, count: int) -> Found:
    """The most popular of the categories at hand, those of the newest context items first."""
    index = request.model.index
    found: list[NDArray[np.int32]] = []
    drivers: list[int] = []
    seen: set[int] = {-1}
    for place in range(len(request.context.items) - 1, -1, -1):
        number = int(index.category[request.context.items[place]])
        if number in seen or count == 0:
            continue
        seen.add(number)
        order = index.category_items[
            index.category_start[number] : index.category_start[number + 1]
        ]
        items = best.walk(order, request.mask, request.scratch.taken, count)
        found.append(items)
        drivers += [place] * len(items)
        count -= len(items)
    items = np.concatenate([np.empty(0, np.int32), *found])
    shares = np.zeros((len(items), len(request.context.items)), np.float32)
    shares[np.arange(len(items)), drivers] = 1.0
    scores = np.power(BELOW, np.arange(len(items))) / 2
    return Found(items, scores, _all_from("content", items), shares)


def trending(request: Request, count: int) -> Found:
    """What is chosen most these days; nothing that nobody chose."""
    index = request.model.index
    found = _ordered(request, count, index.trending_order, index.trending, "trending")
    chosen = int(np.count_nonzero(index.trending[found.items]))
    items, scores, sources, shares = found
    return Found(items[:chosen], scores[:chosen], sources[:chosen], shares[:chosen])


def popular(request: Request, count: int) -> Found:
    """What was chosen most of all time; ends with everything else."""
    index = request.model.index
    return _ordered(request, count, index.popular_order, index.popular, "popular")


def new(request: Request, count: int) -> Found:
    """What was published last."""
    index = request.model.index
    found = _ordered(request, count, index.new_order, index.popular, "new")
    published_at = index.published_at[found.items]
    older_days = (published_at.max(initial=0.0) - published_at) / 86_400
    return found._replace(scores=np.maximum(np.exp2(-older_days / NEW_DAYS), LEAST))


def _ordered(
    request: Request,
    count: int,
    order: NDArray[np.int32],
    values: NDArray[np.float32],
    source: str,
) -> Found:
    items = best.walk(order, request.mask, request.scratch.taken, count)
    highest = float(values.max(initial=0.0)) or 1.0
    shares = np.zeros((len(items), len(request.context.items)), np.float32)
    scores = np.maximum(values[items].astype(np.float64) / highest, LEAST)
    return Found(items, scores, _all_from(source, items), shares)


def _all_from(source: str, items: NDArray[np.int32]) -> NDArray[np.uint8]:
    return np.full(len(items), SOURCES.index(source), np.uint8)


def _squashed(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return scores / (1.0 + scores)


TIERS: dict[str, tuple[Tier, ...]] = {
    "session": (session, similar, category, trending, popular),
    "basket": (basket, session, similar, trending, popular),
    "similar": (similar, category, trending, popular),
    "trending": (trending, popular),
    "popular": (popular,),
    "new": (new,),
}
