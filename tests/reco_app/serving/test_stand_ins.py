import numpy as np
import pytest

from reco_app.serving import diversity, service
from reco_app.serving.contracts import Request, RequestItem
from reco_app.serving.stand_ins import stand_ins
from tests.reco_app.serving import examples
from tests.reco_app.serving.examples import GARDEN, KITCHEN, NOW, product

CATALOGUE = [product(item_id) for item_id in examples.ITEM_IDS]


def shop_with(shop, **card):
    return shop(products=[*CATALOGUE, product("fresh", **card)])


async def answered(scenario, *item_ids):
    items = tuple(RequestItem(item_id) for item_id in item_ids)
    return await service.recommend(Request(scenario=scenario, items=items), now=NOW)


@pytest.mark.parametrize("scenario", ["session", "basket", "similar"])
async def test_a_product_newer_than_the_release_is_answered_from_its_category(shop, scenario):
    shop_with(shop, categories=[GARDEN])
    answer = await answered(scenario, "fresh")
    first = answer.items[0]
    assert "p10" <= first.item_id <= "p19"
    assert [(told.item_id, told.evidence, told.count) for told in first.reasons] == [
        ("fresh", "similar", None)
    ]
    assert answer.missing_ids == []
    assert "fresh" not in {item.item_id for item in answer.items}


async def test_beside_known_products_each_reason_names_what_is_at_hand(shop):
    shop_with(shop, categories=[GARDEN])
    answer = await answered("session", "p25", "fresh")
    causes = {told.item_id for item in answer.items for told in item.reasons}
    assert causes - {None} == {"p25", "fresh"}
    shares = [sum(told.share for told in item.reasons) for item in answer.items]
    assert max(shares) <= 1.001


async def test_a_product_like_nothing_known_is_answered_with_what_trends(shop):
    shop_with(shop, categories=["Toys"], brand="Nobody")
    answer = await answered("session", "fresh")
    assert {item.source for item in answer.items} == {"trending"}


def test_what_is_chosen_most_of_the_category_speaks_and_the_own_brand_counts_double(shop):
    state = shop_with(shop, categories=[KITCHEN], brand="Acme")
    spoken = stand_ins(state.shelf.position("fresh"), state.shelf, state.model)
    assert [state.shelf.item_id(position) for position in spoken] == ["p00", "p01", "p03"]


def test_without_any_category_the_brand_tells_what_is_alike(shop):
    state = shop_with(shop, categories=[], brand="Bolt")
    spoken = stand_ins(state.shelf.position("fresh"), state.shelf, state.model)
    assert {state.shelf.item_id(position) for position in spoken} <= {
        f"p{number:02}" for number in range(1, 30, 3)
    }


def test_of_very_many_that_speak_the_newest_have_a_place_of_their_own():
    shares = np.zeros((2, 70), np.float32)
    shares[0, 69] = shares[1, 5] = 1.0
    covers = diversity.coverage(shares, np.array([0.9, 0.8]), np.zeros(2, np.uint8))
    assert covers.tolist() == [1 << 63, 0]
