"""A small, seeded form of `python -m bench.filters`."""

from bench.filter_trials import measured
from tests.reco_app.serving import examples
from tests.reco_app.serving.examples import GARDEN, product, rule

PRODUCTS = [
    product(
        item_id,
        item_group_id=f"group-{at // 4}" if at < 16 else "",
        availability="out_of_stock" if at % 7 == 3 else "in_stock",
    )
    for at, item_id in enumerate([*examples.ITEM_IDS, "fresh", "fresher"])
]
HIDES = [rule("hide", target_category=GARDEN)]


def test_no_list_is_short_or_wrong_under_random_filters(shop):
    shop(products=PRODUCTS, rules_=HIDES)
    assert measured(PRODUCTS, HIDES, trials=200) == {
        "filters.trials": 200.0,
        "filters.short_lists": 0.0,
        "filters.wrong_lists": 0.0,
    }
