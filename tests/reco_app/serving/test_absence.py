import pytest

from reco_app.serving.absence import absence
from reco_app.serving.contracts import Budget, Filter, Request, RequestItem
from reco_app.serving.decision import decide
from reco_app.serving.question import understood
from tests.reco_app.serving import examples
from tests.reco_app.serving.examples import ITEM_IDS, NOW, product, rule


def codes(item_id, request, state):
    question = understood(request, state, now=NOW, placement_rules=None)
    decision = decide(request, question, state, profile=None)
    return [cause.code for cause in absence(item_id, request, decision, state)]


@pytest.mark.parametrize(
    ("item_id", "request_", "expected"),
    [
        ("nobody", Request(), ["unknown-product"]),
        ("p05", Request(items=(RequestItem("p05"),)), ["in-context"]),
        ("p05", Request(exclude_ids=("p05",)), ["excluded"]),
        ("p05", Request(filter=Filter(category=("Books",))), ["filter-category"]),
        ("p05", Request(filter=Filter(price_max="2", brand=("Acme",))),
         ["filter-brand", "filter-price-max"]),
        ("p05", Request(filter=Filter(price_min="20")), ["filter-price-min"]),
    ],
)  # fmt: skip
def test_every_reason_for_an_absence_is_told(item_id, request_, expected):
    assert codes(item_id, request_, examples.state()) == expected


def test_a_product_that_cannot_be_sold_says_so():
    products = [product(item_id) for item_id in ITEM_IDS]
    products[3] = product("p03", availability="out_of_stock")
    products[4] = product("p04", deleted=True)
    state = examples.state(products=products)
    assert codes("p03", Request(), state) == ["filter-in-stock"]
    assert codes("p04", Request(), state) == ["not-offered"]


def test_a_rule_that_hides_is_named():
    state = examples.state(rules_=[rule("hide", target_product="p05")])
    assert codes("p05", Request(), state) == ["hidden-by-rule"]


def test_a_variant_that_is_shown_stands_for_the_others():
    pair = [product("p00", item_group_id="g"), product("p01", item_group_id="g")]
    state = examples.state(products=pair)
    assert codes("p01", Request(), state) + codes("p00", Request(), state)
    assert "variant-shown" in codes("p01", Request(), state) + codes("p00", Request(), state)


def test_what_scored_too_low_was_outranked_or_never_found():
    assert codes("p29", Request(count=1), examples.state())[0] in ("outranked", "not-a-candidate")


def test_a_variant_of_what_is_at_hand_says_that_others_come_first():
    variants = [product(item_id, item_group_id="shirt") for item_id in ("p00", "p01")]
    state = examples.state(products=[*variants, *(product(one) for one in ITEM_IDS[2:])])
    assert codes("p01", Request(items=(RequestItem("p00"),)), state) == ["variant-at-hand"]


def test_a_product_below_the_candidates_was_not_one():
    assert codes("p29", Request(scenario="popular", count=1), examples.state()) == [
        "not-a-candidate"
    ]


def test_what_costs_more_than_is_left_to_spend_says_so():
    request = Request(scenario="popular", count=1, budget=Budget("2.00"))
    assert codes("p05", request, examples.state()) == ["beyond-budget"]


def test_what_diversity_moved_down_says_what_moved_it():
    request = Request(scenario="popular", count=6, diversity=1.0)
    state = examples.state()
    displaced = [item_id for item_id in ITEM_IDS if codes(item_id, request, state) == ["displaced"]]
    assert displaced


def test_the_worse_variant_of_a_group_says_which_one_stands_for_it():
    variants = [product(item_id, item_group_id="shirt") for item_id in ITEM_IDS[20:]]
    state = examples.state(products=[*(product(one) for one in ITEM_IDS[:20]), *variants])
    request = Request(scenario="popular", count=1, diversity=0.1)
    assert codes("p29", request, state) == ["variant-outranked"]
