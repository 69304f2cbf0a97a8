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
from reco_app.serving.contracts import DEFAULT_COUNT, Filter, Request, RequestItem
from reco_app.serving.live import Live
from reco_app.serving.shelf import Shelf
from reco_app.serving.stand_ins import stand_ins
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
    """What the engine knows of the products at hand, oldest first; products newer than the release
    are spoken for by others like them."""
    stand_ins: dict[int, int]
    """Which product at hand each of these others speaks for: positions of both."""
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
    speaking = _speak_for_newcomers(request, context, at_hand, live)
    slug = placement.slug if placement else None
    return Question(
        scenario=placement.scenario if placement else request.scenario,
        placement=slug,
        count=request.count or (placement.count if placement else DEFAULT_COUNT),
        filters=(live.curation.filters[slug], request.filter) if slug else (request.filter,),
        context=context,
        stand_ins=speaking,
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
            context.append(entry(item, position))
    return context, at_hand, list(missing)


def entry(item: RequestItem, position: int) -> ContextItem:
    """A product at hand as the engine takes it."""
    age_seconds = float(rounded_age(item.age_seconds))
    return ContextItem(position, KINDS[item.event_type], item.quantity, age_seconds)


def _speak_for_newcomers(
    request: Request, context: list[ContextItem], at_hand: list[int], live: Live
) -> dict[int, int]:
    """Put what is like a newcomer in its place of the context; tells what speaks for what."""
    speaking: dict[int, int] = {}
    if live.model is None or len(context) == len(at_hand):
        return speaking
    known = iter(list(context))
    context.clear()
    for item in request.items:
        position = live.shelf.position(item.item_id)
        if 0 <= position < len(live.model.item_ids):
            context.append(next(known))
        elif position >= 0:
            others = stand_ins(position, live.shelf, live.model)
            free = [other for other in others if other not in speaking and other not in at_hand]
            speaking |= dict.fromkeys(free, position)
            context += [entry(item, other) for other in free]
    return speaking


def named_products(item_ids: Sequence[str], shelf: Shelf) -> list[int]:
    """Positions of those that the shelf knows."""
    return [position for item_id in item_ids if (position := shelf.position(item_id)) >= 0]


def _unknown_scenario(scenario: str) -> str:
    known = ", ".join(SCENARIOS)
    return (
        f"There is no scenario “{scenario}”, and no active placement of that name. "
        f"The scenarios are {known}."
    )
