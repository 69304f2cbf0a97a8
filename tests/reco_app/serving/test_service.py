import msgspec
import pytest

from reco_app.serving import service
from reco_app.serving.contracts import Budget, Filter, Reason, Request, RequestItem
from runtime.problems import Problem
from tests.reco_app.serving import examples
from tests.reco_app.serving.examples import GARDEN, KITCHEN, NOW, placement, product, rule


async def answered(**asked):
    return await service.recommend(Request(**asked), now=NOW)


def ids(answer):
    return [item.item_id for item in answer.items]


def viewed(*item_ids):
    return tuple(RequestItem(item_id) for item_id in item_ids)


async def test_twelve_distinct_products_none_from_the_context(shop):
    shop()
    answer = await answered(items=viewed("p00", "p05", "p09"))
    assert len(set(ids(answer))) == 12
    assert not {"p00", "p05", "p09"} & set(ids(answer))


async def test_the_context_comes_back_only_if_asked_for(shop):
    shop()
    answer = await answered(items=viewed("p01"), include_context=True, count=30)
    assert "p01" in ids(answer)


async def test_what_was_bought_together_leads_with_its_count(shop):
    shop()
    answer = await answered(scenario="basket", items=viewed("p01"))
    assert answer.items[0].item_id == "p00"
    reason = answer.items[0].reasons[0]
    assert (reason.item_id, reason.evidence, reason.count) == ("p01", "bought-together", 29)


async def test_shares_of_the_reasons_do_not_exceed_one(shop):
    shop()
    answer = await answered(items=viewed("p01", "p02", "p03"), count=30)
    assert all(sum(reason.share for reason in item.reasons) <= 1.001 for item in answer.items)


async def test_without_items_the_answer_is_what_trends(shop):
    shop()
    answer = await answered()
    assert answer.items[0].source == "trending"
    assert answer.items[0].reasons[0].item_id is None
    assert answer.items[0].reasons[0].evidence == "trending"


async def test_unknown_products_are_named_and_do_no_harm(shop):
    shop()
    answer = await answered(items=viewed("nobody", "p01", "nobody"))
    assert answer.missing_ids == ["nobody"]
    assert len(answer.items) == 12


async def test_an_unknown_scenario_is_refused_by_name(shop):
    shop()
    with pytest.raises(Problem) as raised:
        await answered(scenario="psychic")
    assert raised.value.status == 422
    assert raised.value.errors[0].pointer == "/scenario"


async def test_a_category_covers_what_lies_below_it(shop):
    shop()
    answer = await answered(filter=Filter(category=("Home",)), count=30)
    assert set(ids(answer)) == {f"p{number:02}" for number in range(20)}


async def test_fields_of_a_filter_are_joined_by_and(shop):
    shop()
    chosen = Filter(category=(KITCHEN, GARDEN), brand=("Acme",), price_min="4.50", price_max="7.50")
    assert set(ids(await answered(filter=chosen))) == {"p03", "p06"}


async def test_the_sale_price_is_the_price_that_filters(shop):
    products = [product("p00", price="99.00", sale_price="2.00"), product("p01", price="99.00")]
    shop(products=products)
    assert ids(await answered(filter=Filter(price_max="5"))) == ["p00"]


async def test_a_narrow_filter_gives_what_there_is_and_says_so(shop):
    shop()
    answer = await answered(filter=Filter(price_max="3.00"))
    assert set(ids(answer)) == {"p00", "p01"}
    assert [warning.code for warning in answer.warnings] == ["filter-too-narrow"]


async def test_a_filter_that_nothing_passes_is_set_aside_and_says_so(shop):
    shop()
    answer = await answered(filter=Filter(category=("Nowhere",)))
    assert len(answer.items) == 12
    assert [warning.code for warning in answer.warnings] == ["filter-too-narrow"]


async def test_nothing_out_of_stock_unless_asked(shop):
    shop(products=[product("p00", availability="out_of_stock"), product("p01")])
    assert ids(await answered()) == ["p01"]
    assert set(ids(await answered(filter=Filter(in_stock=False)))) == {"p00", "p01"}


async def test_hidden_products_never_appear(shop):
    products = [product("p00", deleted=True), product("p01"), product("p02")]
    shop(products=products)
    assert set(ids(await answered(filter=Filter(in_stock=False)))) == {"p01", "p02"}


async def test_excluded_products_never_appear(shop):
    shop()
    answer = await answered(exclude_ids=("p00", "p01"), count=30)
    assert len(answer.items) == 28
    assert not {"p00", "p01"} & set(ids(answer))


async def test_a_list_shows_one_of_a_group_of_variants(shop):
    grouped = [product(item_id, item_group_id="shirt") for item_id in examples.ITEM_IDS[:20]]
    shop(products=[*grouped, *(product(item_id) for item_id in examples.ITEM_IDS[20:])])
    answer = await answered(count=12)
    assert len(answer.items) == 11
    assert len([item for item in ids(answer) if item < "p20"]) == 1


async def test_a_pin_takes_its_place_and_says_so(shop):
    shop(rules_=[rule("pin", target_product="p29", position=2)])
    answer = await answered(items=viewed("p01"))
    assert answer.items[1].item_id == "p29"
    assert answer.items[1].source == "pinned"
    assert answer.items[1].reasons[0].evidence == "pinned"
    assert ids(answer).count("p29") == 1


async def test_a_pin_does_not_pass_a_filter_that_leaves_it_out(shop):
    shop(rules_=[rule("pin", target_product="p29", position=1)])
    assert "p29" not in ids(await answered(filter=Filter(category=("Home",))))


async def test_a_rule_that_hides_a_category_empties_it(shop):
    shop(rules_=[rule("hide", target_category="Home")])
    assert min(ids(await answered(count=30))) == "p20"


async def test_a_boost_lifts_and_a_bury_sinks(shop):
    plain = ids(await _twice(shop, ()))
    lifted = rule("boost", target_product=plain[-1], factor=100.0)
    sunk = rule("bury", number=2, target_product=plain[0], factor=0.01)
    ordered = ids(await _twice(shop, (lifted, sunk)))
    assert ordered[0] == plain[-1]
    assert plain[0] not in ordered[:3]


async def _twice(shop, rules_):
    shop(rules_=rules_)
    return await answered(items=viewed("p05"), count=10)


async def test_a_rule_holds_only_in_its_placement_and_time(shop):
    pinned = rule("pin", target_product="p29", position=1, placement="home-top")
    over = rule("hide", number=2, target_product="p28", ends_at=NOW)
    shop(rules_=[pinned, over], placements=[placement()])
    assert ids(await answered(scenario="home-top"))[0] == "p29"
    assert ids(await answered(scenario="trending"))[0] != "p29"
    assert "p28" in ids(await answered(count=30))


async def test_a_rule_for_a_context_holds_only_beside_it(shop):
    beside = rule("pin", target_product="p29", position=1, context_category="Home > Kitchen")
    shop(rules_=[beside])
    assert ids(await answered(items=viewed("p03")))[0] == "p29"
    assert ids(await answered(items=viewed("p13")))[0] != "p29"


async def test_a_placement_gives_scenario_count_and_filter(shop):
    books = placement(filter={"category": ["Books"]}, count=4)
    shop(placements=[books])
    answer = await answered(scenario="home-top")
    assert len(answer.items) == 4
    assert min(ids(answer)) >= "p20"


async def test_what_fits_the_budget_comes_first(shop):
    shop()
    answer = await answered(items=viewed("p25"), budget=Budget("5.00"), count=8)
    assert set(ids(answer)[:4]) == {"p00", "p01", "p02", "p03"}


async def test_what_fits_the_budget_comes_first_whatever_diversity_wants(shop):
    shop()
    answer = await answered(budget=Budget("5.00"), diversity=1.0, count=8)
    assert set(ids(answer)[:4]) == {"p00", "p01", "p02", "p03"}


async def test_what_just_fills_the_gap_to_free_shipping_moves_up_and_relevance_still_leads(shop):
    shop()
    plain = await answered(items=viewed("p01"), count=30)
    filled = await answered(items=viewed("p01"), count=30, budget=Budget(free_shipping_gap="9.50"))
    before, after = ids(plain), ids(filled)
    assert after[0] == before[0]
    assert set(after) == set(before)
    assert after.index("p09") < before.index("p09")


async def test_a_basket_is_answered_for_each_of_its_products(shop):
    shop()
    basket = tuple(RequestItem(item_id, "add-to-cart") for item_id in ("p00", "p10", "p20", "p28"))
    answer = await answered(scenario="basket", items=basket, count=4)
    told = {reason.item_id for item in answer.items for reason in item.reasons}
    assert told == {"p00", "p10", "p20", "p28"}


async def test_diversity_of_nought_changes_nothing_and_more_spreads_categories(shop):
    shop()
    plain = await answered(items=viewed("p05"), count=8)
    assert ids(plain) == ids(await answered(items=viewed("p05"), count=8, diversity=0.0))
    spread = await answered(items=viewed("p05"), count=8, diversity=0.9)
    assert len({int(item[1:]) // 10 for item in ids(spread)[:3]}) == 3


async def test_cards_hold_the_fields_asked_for_and_a_price_has_its_currency(shop):
    shop()
    answer = await answered(fields=("title", "price"), count=1)
    card = msgspec.json.decode(answer.items[0].product)
    assert set(card) == {"title", "price", "currency"}


async def test_before_the_first_release_the_shelf_alone_answers(shop):
    newest = product("p07", published_at="2026-11-01T00:00:00+00:00")
    shop(products=[product("p01"), newest, product("p02")], engine=None)
    answer = await answered(items=viewed("p02"))
    assert ids(answer) == ["p07", "p01"]
    assert answer.items[0].source == "new"
    assert answer.model is None


@pytest.mark.parametrize(("items", "told"), [(30, 29), (300, None)])
async def test_what_is_popular_tells_of_no_fewer_than_three_sessions(shop, items, told):
    engine = examples.model([f"p{number:02}" for number in range(items)])
    shop(products=[product("p00" if told else "p05")], engine=engine)
    [only] = (await answered(scenario="popular")).items
    assert only.reasons == [Reason(None, 1.0, "popular", told)]


async def test_products_newer_than_the_release_are_first_among_the_new(shop):
    shop(products=[*(product(i) for i in examples.ITEM_IDS), product("fresh")])
    assert ids(await answered(scenario="new"))[0] == "fresh"
    assert "fresh" in ids(await answered(scenario="popular", count=31))


async def test_an_answer_is_never_empty_while_anything_can_be_sold(shop):
    shop(products=[product("p00")])
    answer = await answered(items=viewed("p01"), filter=Filter(brand=("Nobody",)))
    assert ids(answer) == ["p00"]
