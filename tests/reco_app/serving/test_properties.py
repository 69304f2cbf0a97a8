import asyncio

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reco_app.serving import service
from reco_app.serving.contracts import Budget, Filter, Request, RequestItem
from reco_app.serving.decision import decide
from reco_app.serving.diversity import COVERED, LEAST_SHARE
from reco_app.serving.masks import Masks
from reco_app.serving.question import understood
from tests.reco_app.serving import examples
from tests.reco_app.serving.examples import GARDEN, KITCHEN, NOW, product, rule

ITEM_IDS = st.sampled_from([*examples.ITEM_IDS, "fresh", "unknown"])
MONEY = st.integers(0, 40).map(lambda units: f"{units}.00")
BOUNDS = st.lists(st.integers(0, 40), min_size=2, max_size=2).map(sorted)


def filter_of(bounds, *, open_ends, **chosen):
    least, most = (f"{bound}.00" for bound in bounds)
    return Filter(
        price_min=None if open_ends in ("least", "both") else least,
        price_max=None if open_ends in ("most", "both") else most,
        **chosen,
    )


FILTERS = st.builds(
    filter_of,
    BOUNDS,
    open_ends=st.sampled_from(["least", "most", "both", "none"]),
    category=st.lists(st.sampled_from([KITCHEN, GARDEN, "Books", "Home"]), max_size=2).map(tuple),
    brand=st.lists(st.sampled_from(["Acme", "Bolt"]), max_size=1).map(tuple),
    in_stock=st.booleans(),
)
REQUESTS = st.builds(
    Request,
    scenario=st.sampled_from(["session", "basket", "similar", "trending", "popular", "new"]),
    items=st.lists(
        st.builds(
            RequestItem,
            ITEM_IDS,
            st.sampled_from(["view", "click", "add-to-cart", "purchase"]),
            st.integers(1, 5),
            st.floats(0, 1e6),
        ),
        max_size=6,
    ).map(tuple),
    count=st.integers(1, 40),
    filter=FILTERS,
    budget=st.none()
    | st.builds(Budget, MONEY)
    | st.builds(Budget, free_shipping_gap=MONEY)
    | st.builds(Budget, MONEY, MONEY),
    exclude_ids=st.lists(ITEM_IDS, max_size=3).map(tuple),
    diversity=st.sampled_from([0.0, 0.3, 1.0]),
)
RULES = st.lists(
    st.sampled_from(
        [
            rule("pin", number=1, target_product="p29", position=3),
            rule("pin", number=2, target_product="p11", position=3),
            rule("boost", number=3, target_category="Books", factor=5.0),
            rule("bury", number=4, target_product="p01", factor=0.1),
            rule("hide", number=5, target_category=GARDEN),
        ]
    ),
    unique_by=lambda one: one.id,
)
WITH_VARIANTS = [
    product(
        item_id,
        item_group_id=f"group-{int(item_id[1:]) // 3}" if item_id < "p12" else "",
        availability="out_of_stock" if item_id in ("p04", "p20") else "in_stock",
        deleted=item_id in ("p07", "p21"),
    )
    for item_id in examples.ITEM_IDS
]
often = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def use(shop):
    def of(rules_):
        return shop(products=[*WITH_VARIANTS, product("fresh")], rules_=rules_)

    return of


def answered(request):
    return asyncio.run(service.recommend(request, now=NOW))


@often
@given(request=REQUESTS, rules_=RULES)
def test_results_are_distinct_sellable_and_never_from_the_context(use, request, rules_):
    state = use(rules_)
    ids = [item.item_id for item in answered(request).items]
    assert len(ids) == len(set(ids))
    assert not {item.item_id for item in request.items} & set(ids)
    assert not set(request.exclude_ids) & set(ids)
    sellable = state.masks.passing(Filter(in_stock=request.filter.in_stock))
    assert all(sellable[state.shelf.position(item_id)] for item_id in ids)


@often
@given(request=REQUESTS, rules_=RULES)
def test_lists_are_full_whenever_enough_products_pass(use, request, rules_):
    state = use(rules_)
    never = {*request.exclude_ids, *(item.item_id for item in request.items)}
    hidden = any(one.kind == "hide" for one in rules_)
    passing = Masks(state.shelf).passing(request.filter)
    variants = {
        state.shelf.columns.group[at] if state.shelf.columns.group[at] >= 0 else -1 - at
        for at in passing.nonzero()[0]
        if state.shelf.item_id(at) not in never
        and not (hidden and state.shelf.paths(at) == (GARDEN,))
    }
    answer = answered(request)
    if variants:
        assert len(answer.items) == min(request.count, len(variants))
    assert answer.items


@often
@given(request=REQUESTS, rules_=RULES, fewer=st.integers(1, 40))
def test_a_shorter_list_is_the_beginning_of_a_longer_one(use, request, rules_, fewer):
    use(rules_)
    fields = request.__struct_fields__
    shorter = Request(
        **{name: getattr(request, name) for name in fields if name != "count"},
        count=min(fewer, request.count),
    )
    long = [item.item_id for item in answered(request).items]
    assert [item.item_id for item in answered(shorter).items] == long[: shorter.count]


@often
@given(request=REQUESTS, rules_=RULES)
def test_every_product_of_a_basket_that_something_goes_with_is_told_in_its_list(
    use, request, rules_
):
    state = use([one for one in rules_ if one.kind != "pin"])
    asked = msgspec.structs.replace(request, scenario="basket", count=30)
    found = decision_of(asked, state)
    supported = told(found, range(min(COVERED, len(found.scores))))
    if len(found.question.context) > 1 and asked.budget is None and not asked.diversity:
        assert supported <= told(found, [pick.row for pick in found.picks[: len(supported)]])


def decision_of(request, state):
    question = understood(request, state, now=NOW, placement_rules=None)
    return decide(request, question, state, profile=None)


def told(found, rows):
    """The columns of the products at hand that are among the reasons of these candidates."""
    shares = found.candidates.shares[list(rows)]
    strongest = np.argsort(-shares, axis=1, kind="stable")[:, :3]
    return {
        int(column)
        for row, columns in enumerate(strongest)
        for column in columns
        if shares[row, column] >= LEAST_SHARE
    }


@pytest.mark.parametrize("scenario", ["session", "similar", "popular"])
def test_more_diversity_shows_no_fewer_categories_on_average(shop, scenario):
    shop()
    shown = [
        np.mean([categories_shown(item_id, scenario, diversity) for item_id in examples.ITEM_IDS])
        for diversity in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert np.all(np.diff(shown) >= 0)
    assert shown[-1] > shown[0]


def categories_shown(item_id, scenario, diversity):
    request = Request(
        scenario=scenario, items=(RequestItem(item_id),), count=5, diversity=diversity
    )
    answer = answered(request)
    return len({int(item.item_id[1:]) // 10 for item in answer.items})
