"""From a question to the products that answer it: pure, so that an answer can be replayed."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from reco_app.engine.arrange import Arranged
from reco_app.engine.rank import SOURCES
from reco_app.serving import candidates, diversity, lean, masks, rules
from reco_app.serving.candidates import Candidates
from reco_app.serving.contracts import Filter, Request, Warning
from reco_app.serving.diversity import COVERED, Budgeted, budgeted, coverage, no_coverage
from reco_app.serving.live import Live
from reco_app.serving.question import Question, named_products
from reco_app.serving.shelf import Shelf
from reco_app.serving.stages import STOPPED, Watch

POOL = 200  # candidates that rules, profile, budget and diversity put into another order
SLACK = 8  # variants of one product that the first call of the engine may well return
PINNED = SOURCES.index("pinned")


class Pick(msgspec.Struct, frozen=True, gc=False):
    position: int
    score: float
    source: int
    """Place in the engine's SOURCES."""
    row: int
    """Row among the candidates; -1 for what was pinned."""


class Decision(NamedTuple):
    question: Question
    allowed: NDArray[np.uint8]
    """Over the shelf: what may appear, after filters, hides and exclusions."""
    filters: tuple[Filter, ...]
    """All that it had to pass: what was asked, or less where nothing passed that."""
    relaxed: bool
    """Whether nothing passed the filter, so that it was set aside."""
    profile: lean.Profile | None
    candidates: Candidates
    scores: NDArray[np.float64]
    """The candidates' scores after rules and profile, the largest at most 1."""
    budget: Budgeted | None
    """What the budget made of the candidates."""
    order: Arranged
    """The candidates in the order that they are shown in, and why."""
    picks: list[Pick]
    warnings: list[Warning]


def decide(
    request: Request,
    question: Question,
    live: Live,
    *,
    profile: lean.Profile | None,
    watch: Watch = STOPPED,
) -> Decision:
    """Choose and order the products: full lists whenever enough of them may appear."""
    allowed, filters = _allowed(request, question, live)
    relaxed = filters is not question.filters
    watch.lap("filters")
    pinned = rules.pins(question.rules, live.shelf, allowed=allowed) if question.rules else {}
    found = candidates.collect(
        live.model,
        live.shelf,
        question.context,
        scenario=question.scenario,
        allowed=_unpinned(allowed, pinned, live) if pinned else allowed,
        last=_alike(request, question, live),
        **_reach(request, question, profile, live),
    )
    watch.lap("candidates")
    scores = found.scores
    if profile is not None or question.rules:
        of_rules, of_profile = factors(question, profile, found.positions, live.shelf)
        scores = _normalised(scores * of_rules * of_profile)
    order, budget = _order(request, question, found, scores, live)
    shown = _candidates_shown(order.rows, found, scores)
    watch.lap("order")
    picks = list(_placed(shown, pinned, count=question.count)) if pinned else shown
    return Decision(
        question=question,
        allowed=allowed,
        filters=filters,
        relaxed=relaxed,
        profile=profile,
        candidates=found,
        scores=scores,
        budget=budget,
        order=order,
        picks=picks,
        warnings=_warnings(question, len(picks), relaxed=relaxed),
    )


def factors(
    question: Question,
    profile: lean.Profile | None,
    positions: NDArray[np.int32],
    shelf: Shelf,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the rules, and what the profile, multiply the scores of these positions by."""
    of_rules = rules.factors(question.rules, positions, shelf)
    if profile is None:
        return of_rules, np.ones(len(positions))
    return of_rules, lean.factors(profile, positions, shelf)


def _allowed(
    request: Request, question: Question, live: Live
) -> tuple[NDArray[np.uint8], tuple[Filter, ...]]:
    never = named_products(request.exclude_ids, live.shelf)
    if not request.include_context:
        never = [*never, *question.at_hand]
    in_stock = all(chosen.in_stock for chosen in question.filters)
    # What passes nothing but the stock is better than nothing: the last resort.
    for filters in (question.filters, question.filters[:-1], (Filter(in_stock=in_stock),)):
        if not filters:
            continue
        mask = masks.without(_all_of(filters, live, in_stock=in_stock), never)
        if question.rules:
            rules.hide(mask, question.rules, live.shelf)
        if masks.any_left(mask):
            return mask, filters
    return mask, question.filters


def _all_of(filters: tuple[Filter, ...], live: Live, *, in_stock: bool) -> NDArray[np.uint8]:
    parts = [live.masks.passing(_with_stock(chosen, in_stock=in_stock)) for chosen in filters]
    return parts[0] if len(parts) == 1 else np.bitwise_and.reduce(parts)


def _with_stock(chosen: Filter, *, in_stock: bool) -> Filter:
    """The same filter, with the stock as all filters together want it."""
    if chosen.in_stock == in_stock:
        return chosen
    return Filter(chosen.category, chosen.brand, chosen.price_min, chosen.price_max, in_stock)


def _unpinned(allowed: NDArray[np.uint8], pinned: dict[int, int], live: Live) -> NDArray[np.uint8]:
    """What is left to the candidates: neither pinned nor a variant of something pinned."""
    left = allowed.copy()
    positions = list(pinned.values())
    left[positions] = 0
    left[live.shelf.variants_of(positions)] = 0
    return left


def _alike(request: Request, question: Question, live: Live) -> NDArray[np.int64]:
    """Variants of what is at hand: whoever looks at one has seen the choice of them."""
    return live.shelf.variants_of([] if request.include_context else question.at_hand)


def _reach(
    request: Request, question: Question, profile: lean.Profile | None, live: Live
) -> dict[str, int]:
    """How many candidates are needed: all that may move up, or just those that are shown."""
    reordered = (
        request.diversity > 0
        or request.budget is not None
        or profile is not None
        or bool(rules.of_kind(question.rules, "boost", "bury"))
    )
    if reordered:
        return {"depth": POOL, "needed": POOL}
    slack = SLACK if live.shelf.has_variants else 0
    needed = max(question.count, COVERED) if _is_covering(question) else question.count
    return {"depth": needed + slack, "needed": needed}


def _normalised(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    highest = float(scores.max(initial=0.0))
    return scores / highest if highest > 1.0 else scores


def _order(
    request: Request,
    question: Question,
    found: Candidates,
    scores: NDArray[np.float64],
    live: Live,
) -> tuple[Arranged, Budgeted | None]:
    """Rows of the candidates, the first to be shown first, and what the budget made of them."""
    size = len(scores)
    covering = _is_covering(question)
    if not covering and not request.diversity and scores is found.scores and not request.budget:
        rows = np.arange(min(question.count, size))
        return Arranged(rows, np.zeros(len(rows), np.uint8)), None
    budget = None
    relevance, later = scores, np.zeros(size, np.uint8)
    if request.budget is not None:
        budget = budgeted(request.budget, live.shelf.columns.price[found.positions])
        relevance, later = scores * budget.factors, budget.later
    order = diversity.arranged(
        found.positions,
        relevance,
        later,
        coverage(found.shares, relevance, later) if covering else no_coverage(size),
        live.shelf.columns,
        live.model,
        diversity=request.diversity,
        count=question.count,
    )
    return order, budget


def _is_covering(question: Question) -> bool:
    """Whether each product at hand that something goes with shall have a place in the list."""
    return question.scenario == "basket" and len(question.context) > 1


def _candidates_shown(
    rows: NDArray[np.int64], found: Candidates, scores: NDArray[np.float64]
) -> list[Pick]:
    positions, told, sources = found.positions[rows], scores[rows], found.sources[rows]
    return list(map(Pick, positions.tolist(), told.tolist(), sources.tolist(), rows.tolist()))


def _placed(shown: list[Pick], pinned: dict[int, int], *, count: int) -> Iterator[Pick]:
    """Pins on their places, candidates on the others; pins move up where candidates run out."""
    waiting = sorted(pinned)
    candidates_left = iter(shown)
    for place in range(1, count + 1):
        due = waiting and waiting[0] <= place
        candidate = None if due else next(candidates_left, None)
        if candidate is not None:
            yield candidate
        elif waiting:
            yield Pick(pinned[waiting.pop(0)], 1.0, PINNED, -1)
        else:
            return


def _warnings(question: Question, shown: int, *, relaxed: bool) -> list[Warning]:
    if relaxed:
        detail = "Nothing that passes the filter is left to show; it was set aside."
    elif shown == question.count:
        return []
    elif question.filters == (Filter(),):
        return [Warning("few-products", f"Only {shown} products can be shown at all.")]
    else:
        detail = f"Only {shown} of {question.count} products pass the filter."
    return [Warning("filter-too-narrow", detail)]
