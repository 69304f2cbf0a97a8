import msgspec
import numpy as np
import pytest

from reco_app.serving import shelf
from reco_app.serving.contracts import Filter
from reco_app.serving.masks import Masks, without
from tests.reco_app.serving.examples import KITCHEN, product


def stocked(*products, item_ids=("a", "b")):
    changes = [msgspec.convert(entry, shelf.ShelfProduct) for entry in products]
    return shelf.empty(item_ids).with_products(changes, version=5)


def offered(stock):
    return {stock.item_id(at) for at in stock.columns.offered.nonzero()[0]}


def test_items_of_a_release_that_are_no_products_are_known_and_not_offered():
    stock = stocked(product("a"))
    assert stock.position("b") == 1
    assert offered(stock) == {"a"}


def test_a_shelf_does_not_change_when_another_is_made_from_it():
    before = stocked(product("a"))
    after = before.with_products(
        [msgspec.convert(product("c", deleted=False), shelf.ShelfProduct)], version=6
    )
    assert (before.position("c"), after.position("c")) == (-1, 2)
    assert (before.size, after.size) == (2, 3)


def test_another_order_of_items_moves_every_column():
    stock = stocked(product("a", price="7.00"), product("c", price="9.00"))
    moved = stock.reordered(["x", "c"])
    assert [moved.item_id(at) for at in range(moved.size)] == ["x", "c", "a", "b"]
    assert moved.columns.price[1:3].tolist() == [9.0, 7.0]
    assert np.isnan(moved.columns.price[0])
    assert offered(moved) == {"a", "c"}


def test_a_category_is_no_prefix_of_letters():
    stock = stocked(product("a", categories=["Home > Kitchenware"]))
    assert not stock.in_category(KITCHEN)[stock.position("a")]


def test_a_product_of_several_categories_is_in_each():
    stock = stocked(product("a", categories=["Books", "Home > Garden"]))
    assert stock.in_category("Home")[0]
    assert stock.in_category("Books")[0]


@pytest.mark.parametrize(("bound", "passes"), [("2.50", True), ("2.49", False), ("2.5", True)])
def test_a_price_bound_includes_itself(bound, passes):
    stock = stocked(product("a", price="2.50"))
    assert bool(Masks(stock).passing(Filter(price_max=bound))[0]) is passes


def test_an_unknown_brand_passes_nothing():
    stock = stocked(product("a", brand=""), product("b", brand="Acme"))
    assert not Masks(stock).passing(Filter(brand=("Nobody",))).any()


def test_leaving_products_out_keeps_the_mask_itself():
    stock = stocked(product("a"), product("b"))
    mask = Masks(stock).passing(Filter())
    assert without(mask, [0]).tolist() == [0, 1]
    assert mask.tolist() == [1, 1]
