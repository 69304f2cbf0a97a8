"""Finds the profiles nearest to a taste; keeps nothing of it."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from math import hypot

from profile_app import store
from profile_app.contracts import Match, Matches, WeightsGiven
from profile_app.models import Preferences

NEAREST = 10

Figures = Mapping[str, float]
Vector = dict[tuple[str, str], float]  # (dimension, label): weight


def match_items(item_ids: Sequence[str]) -> Matches:
    """The profiles nearest to what the shoppers of these products prefer. Raises Unavailable."""
    asked = list(dict.fromkeys(item_ids))
    known = {found.item_id: found for found in store.preferences(asked)}
    taste = mean([_of_preferences(known[item]) for item in sorted(known)])
    missing = [item for item in asked if item not in known]
    return Matches(profiles=nearest(taste, among=store.tastes()), missing_ids=missing)


def match_weights(weights: WeightsGiven) -> Matches:
    """The profiles nearest to a taste that is given outright. Raises Unavailable."""
    taste = vector(weights.model_dump())
    return Matches(profiles=nearest(taste, among=store.tastes()), missing_ids=[])


def nearest(taste: Vector, *, among: Iterable[store.Taste]) -> list[Match]:
    """At most NEAREST profiles that share anything with `taste`, the nearest first."""
    compared = (
        Match(slug=other.slug, name=other.name, score=cosine(taste, vector(other.weights)))
        for other in among
    )
    related = (match for match in compared if match.score > 0)
    return heapq.nsmallest(NEAREST, related, key=lambda match: (-match.score, match.slug))


def cosine(one: Vector, other: Vector) -> float:
    """The cosine of the angle between two tastes: 0 to 1, and 0 where either is empty."""
    left, right = unit(one), unit(other)
    shared = left.keys() & right.keys()
    return min(1.0, sum(left[feature] * right[feature] for feature in sorted(shared)))


def unit(taste: Vector) -> Vector:
    """The same direction at length 1; empty where every weight is 0."""
    length = hypot(*taste.values())
    if not length:
        return {}
    return {feature: weight / length for feature, weight in taste.items()}


def mean(tastes: Sequence[Vector]) -> Vector:
    """The direction between several tastes, each counting the same however long it is."""
    total: Vector = {}
    for taste in tastes:
        for feature, weight in unit(taste).items():
            total[feature] = total.get(feature, 0.0) + weight
    return total


def vector(weights: Mapping[str, Figures]) -> Vector:
    """One flat vector over category, brand and price band."""
    return {
        (dimension, label): weight
        for dimension, figures in weights.items()
        for label, weight in figures.items()
    }


def _of_preferences(found: Preferences) -> Vector:
    return vector(
        {"category": found.categories, "brand": found.brands, "price_band": found.price_bands}
    )
