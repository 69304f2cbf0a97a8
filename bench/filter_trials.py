"""Random requests to a shop, each checked against its catalogue by looking at every product.

What may appear is worked out here from the products as they cross the wire, without the masks and
columns that answers are made with.
"""

import asyncio
import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.curation.contracts import CuratedRule
from reco_app.engine.rank import SCENARIOS
from reco_app.serving import lean, profiles, service
from reco_app.serving.contracts import MAX_COUNT, Budget, Filter, Request, RequestItem

SEED = 20261122
GIVEN_UP = 100  # filters in a row that nothing passes
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROFILE = lean.Profile("bench", 1, lean.Weights(brand={"Private label": 1.0}))

Product = dict[str, Any]


class Catalogue(NamedTuple):
    """N products as plain columns, made from their JSON alone."""

    ids: list[str]
    place: dict[str, int]
    """The other way round."""
    inside: dict[str, NDArray[np.bool_]]
    """By category path: what lies in it or below."""
    brands: list[str]
    brand: NDArray[np.int64]
    """Places in `brands`."""
    price: NDArray[np.float64]
    in_stock: NDArray[np.bool_]
    group: NDArray[np.int64]
    """Equal numbers are variants of one another."""


class Trial(NamedTuple):
    request: Request
    passing: NDArray[np.bool_]


def measured(
    products: Sequence[Product], hides: Sequence[CuratedRule], *, trials: int
) -> dict[str, float]:
    """Ask the live state of these products; `hides` are its rules, each about a category.

    A list is short where it has fewer products than were asked for and pass, and wrong where it
    holds what does not pass, or two of one group.
    """
    profiles._remembered[PROFILE.slug] = profiles._Remembered(PROFILE, math.inf, degraded=False)
    chance = random.Random(SEED)
    catalogue = catalogue_of(products)
    hidden = np.zeros(len(products), np.bool_)
    for rule in hides:
        hidden |= catalogue.inside[rule.target_category or ""]
    short = wrong = 0
    for _ in range(trials):
        trial = _trial(chance, catalogue, hidden)
        answer = asyncio.run(service.recommend(trial.request, now=NOW))
        found = [item.item_id for item in answer.items]
        short += len(found) < (trial.request.count or 0)
        wrong += not _all_may_appear(found, trial.passing, catalogue)
    return {
        "filters.trials": float(trials),
        "filters.short_lists": float(short),
        "filters.wrong_lists": float(wrong),
    }


def _all_may_appear(found: list[str], passing: NDArray[np.bool_], catalogue: Catalogue) -> bool:
    """Whether all pass, none comes twice, and no two are variants of one another."""
    rows = [catalogue.place[item_id] for item_id in found]
    return bool(passing[rows].all()) and len(set(catalogue.group[rows])) == len(rows)


def catalogue_of(products: Sequence[Product]) -> Catalogue:
    brands = sorted({product["brand"] or "" for product in products})
    number = {name: at for at, name in enumerate(brands)}
    inside: dict[str, NDArray[np.bool_]] = {}
    groups: dict[str, int] = {}
    for at, product in enumerate(products):
        groups.setdefault(product.get("item_group_id") or f"only {at}", len(groups))
        for path in product["categories"]:
            parts = path.split(" > ")
            for depth in range(len(parts)):
                above = " > ".join(parts[: depth + 1])
                if above not in inside:
                    inside[above] = np.zeros(len(products), np.bool_)
                inside[above][at] = True
    return Catalogue(
        [product["id"] for product in products],
        {product["id"]: at for at, product in enumerate(products)},
        inside,
        brands,
        np.array([number[product["brand"] or ""] for product in products]),
        np.array([float(product.get("sale_price") or product["price"]) for product in products]),
        np.array([product["availability"] != "out_of_stock" for product in products]),
        np.array([groups[p.get("item_group_id") or f"only {at}"] for at, p in enumerate(products)]),
    )


def _trial(chance: random.Random, catalogue: Catalogue, hidden: NDArray[np.bool_]) -> Trial:
    """A request whose filter lets at least as many products pass as it wants."""
    for _ in range(GIVEN_UP):
        at_hand = chance.sample(range(len(catalogue.ids)), chance.randint(0, 10))
        most_excluded = min(200, len(catalogue.ids) // 4)
        excluded = chance.sample(range(len(catalogue.ids)), chance.choice([0, 0, 3, most_excluded]))
        chosen = _filter(chance, catalogue)
        passing = _passing(chosen, catalogue) & ~hidden
        passing[at_hand + excluded] = False
        most = min(MAX_COUNT, int(np.count_nonzero(np.bincount(catalogue.group[passing]))))
        if most:
            count = chance.choice([most, chance.randint(1, most)])
            return Trial(_request(chance, catalogue, chosen, at_hand, excluded, count), passing)
    raise RuntimeError("hardly any filter lets a product pass")


def _filter(chance: random.Random, catalogue: Catalogue) -> Filter:
    paths, size = list(catalogue.inside), len(catalogue.ids)
    bounds = sorted(catalogue.price[chance.randrange(size)] for _ in range(2))
    brands = {
        catalogue.brands[catalogue.brand[chance.randrange(size)]]
        for _ in range(chance.choice([0, 0, 3]))
    }
    least, most = (f"{bound:.2f}" for bound in bounds)
    return Filter(
        category=tuple(chance.sample(paths, chance.choice([0, 0, 1, 1, 2, 3]))),
        brand=tuple(sorted(brands - {""})),
        price_min=chance.choice([None, least]),
        price_max=chance.choice([None, most]),
        in_stock=chance.random() < 0.8,
    )


def _passing(chosen: Filter, catalogue: Catalogue) -> NDArray[np.bool_]:
    passing = np.ones(len(catalogue.ids), np.bool_)
    if chosen.in_stock:
        passing &= catalogue.in_stock
    if chosen.category:
        passing &= np.any([catalogue.inside[path] for path in chosen.category], axis=0)
    if chosen.brand:
        passing &= np.isin(catalogue.brand, np.searchsorted(catalogue.brands, chosen.brand))
    if chosen.price_min is not None:
        passing &= catalogue.price >= float(chosen.price_min)
    if chosen.price_max is not None:
        passing &= catalogue.price <= float(chosen.price_max)
    return passing


def _request(
    chance: random.Random,
    catalogue: Catalogue,
    chosen: Filter,
    at_hand: list[int],
    excluded: list[int],
    count: int,
) -> Request:
    kinds = ("view", "click", "add-to-cart", "purchase")
    return Request(
        scenario=chance.choice(list(SCENARIOS)),
        items=tuple(
            RequestItem(catalogue.ids[at], chance.choice(kinds), chance.randint(1, 5))
            for at in at_hand
        ),
        count=count,
        profile=chance.choice([None, None, PROFILE.slug]),
        filter=chosen,
        budget=chance.choice([None, None, Budget("5.00"), Budget(free_shipping_gap="7.50")]),
        exclude_ids=tuple(catalogue.ids[at] for at in excluded),
        diversity=chance.choice([0.0, 0.0, 0.3, 1.0]),
    )
