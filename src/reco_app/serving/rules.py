"""What merchandisers decided: pins, boosts, buries and hides, where and when they hold."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec
import numpy as np
from numpy.typing import NDArray

from reco_app.curation.contracts import CuratedPlacement, CuratedRule
from reco_app.serving.contracts import Filter
from reco_app.serving.shelf import Shelf

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Curation:
    """All rules and placements as of one curation version."""

    version: int
    rules: tuple[CuratedRule, ...]
    placements: Mapping[str, CuratedPlacement]
    filters: Mapping[str, Filter]
    """Of each placement, by its slug."""


NOTHING = Curation(version=0, rules=(), placements={}, filters={})


def curation(
    rules: Iterable[CuratedRule], placements: Iterable[CuratedPlacement], *, version: int
) -> Curation:
    """Keep what is switched on; the dates of a rule are looked at when it is asked for."""
    active = {placement.slug: placement for placement in placements if placement.active}
    return Curation(
        version=version,
        rules=tuple(rule for rule in rules if rule.active),
        placements=active,
        filters={slug: filter_of(placement) for slug, placement in active.items()},
    )


def applicable(
    rules: Sequence[CuratedRule],
    *,
    placement: str | None,
    context: Sequence[int],
    shelf: Shelf,
    now: datetime,
) -> list[CuratedRule]:
    """The rules in force for this placement and these positions at hand."""
    return [
        rule
        for rule in rules
        if rule.placement in (None, placement)
        and rule.in_force(now=now)
        and _meets(rule, context, shelf)
    ]


def _meets(rule: CuratedRule, context: Sequence[int], shelf: Shelf) -> bool:
    if rule.context_product is not None:
        wanted = shelf.position(rule.context_product)
        if wanted < 0 or wanted not in context:
            return False
    if rule.context_category is not None:
        inside = shelf.in_category(rule.context_category)
        return any(bool(inside[position]) for position in context)
    return True


def of_kind(rules: Iterable[CuratedRule], *kinds: str) -> list[CuratedRule]:
    return [rule for rule in rules if rule.kind in kinds]


def targets(rule: CuratedRule, positions: NDArray[np.int32], shelf: Shelf) -> NDArray[np.bool_]:
    """Which of these positions the rule is about."""
    if rule.target_product is not None:
        return np.equal(positions, shelf.position(rule.target_product))
    return shelf.in_category(rule.target_category or "")[positions]


def factors(
    rules: Iterable[CuratedRule], positions: NDArray[np.int32], shelf: Shelf
) -> NDArray[np.float64]:
    """What boosts and buries together multiply each position's score by."""
    product = np.ones(len(positions))
    for rule in of_kind(rules, "boost", "bury"):
        product[targets(rule, positions, shelf)] *= rule.factor
    return product


def hide(mask: NDArray[np.uint8], rules: Iterable[CuratedRule], shelf: Shelf) -> None:
    """Take what is hidden out of a mask over the shelf."""
    for rule in of_kind(rules, "hide"):
        if rule.target_product is None:
            mask[shelf.in_category(rule.target_category or "")] = 0
        elif (position := shelf.position(rule.target_product)) >= 0:
            mask[position] = 0


def pins(
    rules: Iterable[CuratedRule], shelf: Shelf, *, allowed: NDArray[np.uint8]
) -> dict[int, int]:
    """Which position of the shelf is pinned to which place, counted from 1.

    Only what may appear is pinned, once, and one of a group of variants; of two pins to one
    place the older rule keeps it and the other moves down.
    """
    places: dict[int, int] = {}
    taken: set[tuple[str, int]] = set()
    for rule in sorted(of_kind(rules, "pin"), key=lambda rule: (rule.position or 1, rule.id)):
        position = shelf.position(rule.target_product or "")
        if position < 0 or not allowed[position] or (key := _variant(shelf, position)) in taken:
            continue
        taken.add(key)
        place = rule.position or 1
        while place in places:
            place += 1
        places[place] = position
    return places


def _variant(shelf: Shelf, position: int) -> tuple[str, int]:
    group = int(shelf.columns.group[position])
    return ("group", group) if group >= 0 else ("item", position)


def filter_of(placement: CuratedPlacement) -> Filter:
    """The placement's own filter; its prices may be written in any form of a decimal.

    The placement goes without one that cannot be read: a list that is too wide is of more use
    than none.
    """
    written = dict(placement.filter)
    try:
        for bound in ("price_min", "price_max"):
            if written.get(bound) is not None:
                written[bound] = format(Decimal(written[bound]), "f")
        return msgspec.convert(written, Filter)
    except (msgspec.ValidationError, ArithmeticError, TypeError, ValueError) as error:
        log.warning("the filter of the placement %s is left out: %s", placement.slug, error)
        return Filter()


def is_about(rule: CuratedRule, position: int, shelf: Shelf) -> bool:
    """Whether one position is the target of a rule."""
    return bool(targets(rule, np.array([position], np.int32), shelf)[0])
