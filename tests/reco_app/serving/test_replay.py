import random

import pytest

from reco_app.serving import explain, service
from reco_app.serving.contracts import Budget, Filter, Request, RequestItem, WhyRequest
from tests.reco_app.serving import examples
from tests.reco_app.serving.examples import ITEM_IDS, NOW, product, rule

PRODUCTS = [*(product(item_id) for item_id in ITEM_IDS), product("fresh")]
RULES = [
    rule("pin", number=1, target_product="p29", position=3),
    rule("boost", number=2, target_category="Books", factor=5.0),
]


def some_request(number):
    chance = random.Random(number)
    at_hand = chance.sample([*ITEM_IDS, "fresh", "unknown"], chance.randint(0, 5))
    return Request(
        scenario=chance.choice(["session", "basket", "similar", "trending", "popular", "new"]),
        items=tuple(RequestItem(item_id, "add-to-cart") for item_id in at_hand),
        count=chance.randint(1, 30),
        filter=chance.choice([Filter(), Filter(category=("Home",)), Filter(price_max="9")]),
        budget=chance.choice([None, Budget("9.00"), Budget(free_shipping_gap="7.50")]),
        diversity=chance.choice([0.0, 0.5]),
    )


@pytest.mark.parametrize("number", range(24))
async def test_a_replay_tells_the_very_list_though_a_newer_release_is_live(
    shop, monkeypatch, number
):
    request = some_request(number)
    shop(products=PRODUCTS, rules_=RULES)
    answer = await service.recommend(request, now=NOW)
    newer = examples.model(ITEM_IDS[::-1], version="2026-11-23T00:00:00Z-next")
    shop(products=PRODUCTS, rules_=RULES, engine=newer)
    monkeypatch.setattr(explain, "_past", lambda version: examples.MODEL)
    why = await explain.why(WhyRequest(answer.recommendation_id, request))
    told = [(step.item_id, round(step.score, 6), step.source, step.reasons) for step in why.steps]
    given = [(item.item_id, item.score, item.source, item.reasons) for item in answer.items]
    assert told == given


async def test_each_step_tells_what_gave_a_product_its_place(shop):
    shop(products=PRODUCTS, rules_=RULES[:1])
    request = Request(items=(RequestItem("p05"),), count=12, diversity=1.0)
    answer = await service.recommend(request, now=NOW)
    why = await explain.why(WhyRequest(answer.recommendation_id, request))
    placed = {step.position: step.placed_by for step in why.steps}
    assert placed[1] == "score"
    assert placed[2] == "diversity"
    assert placed[3] == "pin"
