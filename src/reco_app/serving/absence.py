"""Why a product is not in an answer: every reason that holds, in words for the shop."""

from collections.abc import Iterator

import numpy as np

from reco_app.engine.arrange import BY_COVERAGE, BY_DIVERSITY
from reco_app.serving import rules
from reco_app.serving.contracts import Cause, Filter, Request
from reco_app.serving.decision import Decision
from reco_app.serving.live import Live


def absence(item_id: str, request: Request, decision: Decision, state: Live) -> list[Cause]:
    """Codes and sentences; a product that may appear was ranked too low, or not found at all."""
    position = state.shelf.position(item_id)
    if position < 0:
        detail = "Neither the catalogue nor the release knows this product."
        return [Cause("unknown-product", detail)]
    causes = [*_closed(position, request, decision, state)]
    return causes or [_outranked(position, request, decision, state)]


def _closed(position: int, request: Request, decision: Decision, state: Live) -> Iterator[Cause]:
    item_id = state.shelf.item_id(position)
    columns = state.shelf.columns
    if not columns.offered[position]:
        yield Cause("not-offered", "It is hidden, retired or not in the catalogue.")
    if item_id in request.exclude_ids:
        yield Cause("excluded", "The request excludes it.")
    if position in decision.question.at_hand and not request.include_context:
        yield Cause("in-context", "It is among the products of the request.")
    for rule in rules.of_kind(decision.question.rules, "hide"):
        if rules.is_about(rule, position, state.shelf):
            yield Cause("hidden-by-rule", f"Rule {rule.id} hides it. {rule.note}")
    in_stock = all(chosen.in_stock for chosen in decision.question.filters)
    if in_stock and columns.offered[position] and not columns.in_stock[position]:
        yield Cause("filter-in-stock", "It is out of stock.")
    for chosen in decision.filters:
        yield from _filtered(position, chosen, state)
    if cause := _variant_shown(position, decision, state):
        yield cause


def _filtered(position: int, chosen: Filter, state: Live) -> Iterator[Cause]:
    parts = {
        "category": (
            Filter(category=chosen.category, in_stock=False),
            f"It is in none of the categories {', '.join(chosen.category)}.",
        ),
        "brand": (
            Filter(brand=chosen.brand, in_stock=False),
            f"It is of none of the brands {', '.join(chosen.brand)}.",
        ),
        "price_min": (
            Filter(price_min=chosen.price_min, in_stock=False),
            f"It costs less than {chosen.price_min}.",
        ),
        "price_max": (
            Filter(price_max=chosen.price_max, in_stock=False),
            f"It costs more than {chosen.price_max}.",
        ),
    }
    if not state.shelf.columns.offered[position]:
        return
    for field, (part, detail) in parts.items():
        if getattr(chosen, field) and not state.masks.passing(part)[position]:
            yield Cause(f"filter-{field.replace('_', '-')}", detail)


def _variant_shown(position: int, decision: Decision, state: Live) -> Cause | None:
    groups = state.shelf.columns.group
    if groups[position] < 0:
        return None
    for pick in decision.picks:
        if groups[pick.position] == groups[position]:
            shown = state.shelf.item_id(pick.position)
            detail = f"Its variant {shown} is shown; a list shows one of a group."
            return Cause("variant-shown", detail)
    return None


def _outranked(position: int, request: Request, decision: Decision, state: Live) -> Cause:
    rows = np.flatnonzero(decision.candidates.positions == position)
    if not len(rows):
        return _never_found(position, request, decision, state)
    row = int(rows[0])
    better = int((decision.scores > decision.scores[row]).sum())
    budget = decision.budget
    if budget is not None and budget.later[row]:
        detail = "It costs more than what is left to spend, and what fits comes first."
        return Cause("beyond-budget", detail)
    if better < len(decision.picks):
        detail = f"By its score it would be at {better + 1}; {_movers(decision)} put others first."
        return Cause("displaced", detail)
    detail = f"{better} candidates score above its {decision.scores[row]:.4f}."
    return Cause("outranked", detail)


def _never_found(position: int, request: Request, decision: Decision, state: Live) -> Cause:
    groups, positions = state.shelf.columns.group, decision.candidates.positions
    variants = positions[groups[positions] == groups[position]]
    if groups[position] >= 0 and len(variants):
        stands = state.shelf.item_id(int(variants[0]))
        detail = f"Its variant {stands} stands for the group, and was ranked too low."
        return Cause("variant-outranked", detail)
    at_hand = [] if request.include_context else decision.question.at_hand
    if position in state.shelf.variants_of(at_hand):
        detail = "A variant of it is among the products of the request, so all others come first."
        return Cause("variant-at-hand", detail)
    detail = f"It is not among the {len(positions)} candidates that the engine ranked first."
    return Cause("not-a-candidate", detail)


def _movers(decision: Decision) -> str:
    """What put products before others of a higher score."""
    causes = decision.order.causes
    told = {
        "pins": any(pick.row < 0 for pick in decision.picks),
        "the budget": decision.budget is not None,
        "diversity": bool((causes == BY_DIVERSITY).any()),
        "coverage of the basket": bool((causes == BY_COVERAGE).any()),
    }
    return " and ".join(name for name, holds in told.items() if holds) or "equal scores"
