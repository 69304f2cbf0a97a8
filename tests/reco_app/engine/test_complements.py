"""A market of pasta, sauce and cheese, ten of each: which goes with which is known.

Whoever wants pasta 3 looks at pasta 3, 4 and 5, and buys pasta 3, sauce 3 and cheese 3; every
fifth shopper takes pasta 4 as well.
"""

import numpy as np
import pytest

from reco_app.engine.index import EVENT_TYPES, Log
from reco_app.engine.rank import ContextItem, rank
from tests.reco_app.engine.logs import NOW, model_of

KINDS, SHOPPERS = 10, 200
PASTA, SAUCE, CHEESE = range(3)
VIEW, CART, PURCHASE = map(EVENT_TYPES.index, ("view", "add-to-cart", "purchase"))


def item(category: int, number: int) -> int:
    """The place of a product; its category is the rest of a division by three."""
    return 3 * (number % KINDS) + category


def market() -> Log:
    rows = []
    for shopper in range(SHOPPERS):
        wanted, at = shopper, NOW - 3600.0 * (SHOPPERS - shopper)
        rows += [(shopper, item(PASTA, wanted + step), VIEW, at + step) for step in range(3)]
        rows += [(shopper, item(kind, wanted), PURCHASE, at + 60) for kind in range(3)]
        if shopper // KINDS % 5 == 0:
            rows.append((shopper, item(PASTA, wanted + 1), PURCHASE, at + 60))
    session, items, kinds, at = map(np.array, zip(*rows, strict=True))
    return Log(session.astype(np.int64), items.astype(np.int32), kinds.astype(np.uint8), at)


MODEL = model_of(market(), 3 * KINDS)


def first(scenario: str, context: list[int], count: int) -> list[int]:
    mask = np.ones(3 * KINDS, np.uint8)
    mask[context] = 0
    asked = [ContextItem(each, CART) for each in context]
    return rank(MODEL, asked, scenario=scenario, mask=mask, count=count).items.tolist()


@pytest.mark.parametrize("number", range(KINDS))
def test_a_basket_is_completed_before_anything_takes_the_place_of_what_is_in_it(number):
    found = first("basket", [item(PASTA, number)], 3)

    assert set(found[:2]) == {item(SAUCE, number), item(CHEESE, number)}


@pytest.mark.parametrize("number", range(KINDS))
def test_what_several_products_lack_comes_first(number):
    context = [item(PASTA, number), item(SAUCE, number), item(PASTA, number + 5)]

    found = first("basket", context, 3)

    assert set(found) == {item(CHEESE, number), item(SAUCE, number + 5), item(CHEESE, number + 5)}


@pytest.mark.parametrize("number", range(KINDS))
def test_what_is_looked_at_instead_is_a_substitute_and_what_is_bought_with_it_is_none(number):
    found = first("similar", [item(PASTA, number)], 4)

    assert {each % 3 for each in found} == {PASTA}
    assert not {item(SAUCE, number), item(CHEESE, number)} & set(found)
