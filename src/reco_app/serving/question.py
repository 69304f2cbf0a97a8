"""A request, understood: placement resolved, products looked up, rules in force picked."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from reco_app.curation.contracts import CuratedRule
from reco_app.engine.index import EVENT_TYPES
from reco_app.engine.rank import SCENARIOS, ContextItem
from reco_app.serving import parsing, rules
from reco_app.serving.canonical import rounded_age
from reco_app.serving.contracts import DEFAULT_COUNT, Filter, Request
from reco_app.serving.live import Live
from reco_app.serving.shelf import Shelf
from runtime.problems import FieldError

KINDS = {event_type: number for number, event_type in enumerate(EVENT_TYPES)}


class Question(msgspec.Struct, frozen=True):
    scenario: str
    """One of the six."""
    placement: str | None
    count: int
    filters: tuple[Filter, ...]
    """All must pass: the placement's first, then the request's."""
    context: list[ContextItem]
    """What the engine knows of the products at hand, oldest first."""
    at_hand: list[int]
    """Positions of all of them that the shelf knows."""
    missing_ids: list[str]
    rules: list[CuratedRule]


def understood(
    request: Request, live: Live, *, now: datetime, placement_rules: Sequence[CuratedRule] | None
) -> Question:
    """Raises Problem invalid-fields for a scenario that does not exist, or prices the wrong way
    round.

    `placement_rules` replaces the live ones, for a preview.
    """
    placement = live.curation.placements.get(request.scenario)
    if placement is None and request.scenario not in SCENARIOS:
        raise parsing.invalid(FieldError("/scenario", _unknown_scenario(request.scenario)))
    if request.filter.price_min is not None and request.filter.price_max is not None:
        _check_prices(request.filter.price_min, request.filter.price_max)
    context, at_hand, missing_ids = _looked_up(request, live)
    slug = placement.slug if placement else None
    return Question(
        scenario=placement.scenario if placement else request.scenario,
        placement=slug,
        count=request.count or (placement.count if placement else DEFAULT_COUNT),
        filters=(rules.filter_of(placement), request.filter) if placement else (request.filter,),
        context=context,
        at_hand=at_hand,
        missing_ids=missing_ids,
        rules=rules.applicable(
            live.curation.rules if placement_rules is None else placement_rules,
            placement=slug,
            context=at_hand,
            shelf=live.shelf,
            now=now,
        ),
    )


def _check_prices(least: str, most: str) -> None:
    if Decimal(least) > Decimal(most):
        detail = f"price_min is above price_max: {least} is more than {most}."
        raise parsing.invalid(FieldError("/filter/price_min", detail))


def _looked_up(request: Request, live: Live) -> tuple[list[ContextItem], list[int], list[str]]:
    known_to_engine = len(live.model.item_ids) if live.model else 0
    position_of = live.shelf.position
    context: list[ContextItem] = []
    at_hand: list[int] = []
    missing: dict[str, None] = {}
    for item in request.items:
        position = position_of(item.item_id)
        if position < 0:
            missing[item.item_id] = None
            continue
        at_hand.append(position)
        if position < known_to_engine:
            kind = KINDS[item.event_type]
            age_seconds = float(rounded_age(item.age_seconds))
            context.append(ContextItem(position, kind, item.quantity, age_seconds))
    return context, at_hand, list(missing)


def named_products(item_ids: Sequence[str], shelf: Shelf) -> list[int]:
    """Positions of those that the shelf knows."""
    return [position for item_id in item_ids if (position := shelf.position(item_id)) >= 0]


def _unknown_scenario(scenario: str) -> str:
    known = ", ".join(SCENARIOS)
    return (
        f"There is no scenario “{scenario}”, and no active placement of that name. "
        f"The scenarios are {known}."
    )
