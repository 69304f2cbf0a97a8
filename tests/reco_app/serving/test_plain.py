"""The short way gives what the whole way gives, or leaves the request to it."""

import gc
import weakref

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_app.engine import direct, json_kernels
from reco_app.serving import canonical, cards, plain, service
from reco_app.serving.cards import Card
from reco_app.serving.contracts import Budget, Filter, Request, RequestItem
from tests.reco_app.serving import examples
from tests.reco_app.serving.examples import ITEM_IDS, NOW, product


def short(request, state):
    return plain.encoded(request, canonical.digest(request), state, now=NOW)


async def whole(request):
    return msgspec.json.encode(await service.recommend(request, now=NOW))


def of(*item_ids, **asked):
    return Request(items=tuple(map(RequestItem, item_ids)), **{"count": 2, **asked})


items = st.builds(
    RequestItem,
    st.sampled_from([*ITEM_IDS, "unknown"]),
    event_type=st.sampled_from(["view", "click", "add-to-cart", "purchase"]),
    quantity=st.integers(1, 9),
    age_seconds=st.sampled_from([0.0, 40.0, 5_000.0]),
)
requests = st.builds(
    Request,
    items=st.lists(items, min_size=1, max_size=6).map(tuple),
    count=st.integers(1, 6),
    exclude_ids=st.lists(st.sampled_from(ITEM_IDS), max_size=3).map(tuple),
    filter=st.sampled_from([Filter(), Filter(brand=("Acme", "Bolt")), Filter(price_max="20")]),
    fields=st.sampled_from([("title",), ("title", "price"), ("brand", "categories", "url")]),
    include_context=st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(asked=requests)
def test_both_ways_give_the_same_answer(asked):
    state = examples.state()
    answer = short(asked, state)
    expected = service.decide(asked, _question(asked, state), state, profile=None)
    if answer is None:
        return
    told = msgspec.json.decode(answer)
    assert [entry["item_id"] for entry in told["items"]] == [
        ITEM_IDS[pick.position] for pick in expected.picks
    ]


def _question(asked, state):
    return service.understood(asked, state, now=NOW, placement_rules=None)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(
    "asked",
    [
        of("p01"),
        of("p01", "p07", "p01"),
        of("p05", "unknown", exclude_ids=("p04",)),
        of("p12", include_context=True, fields=("title", "price", "image_url")),
    ],
)
async def test_both_ways_write_the_same_words(shop, asked, count):
    state = shop()
    asked = msgspec.structs.replace(asked, count=count)
    answer = short(asked, state)
    if answer is not None:
        assert msgspec.json.decode(answer) == msgspec.json.decode(await whole(asked))


def test_the_short_way_is_taken_where_sessions_fill_the_list(shop):
    assert short(of("p01"), shop()) is not None


@pytest.mark.parametrize(
    "asked",
    [
        of("p01", scenario="basket"),
        of("p01", profile="gift-buyer"),
        of("p01", diversity=0.5),
        of("p01", budget=Budget(remaining="20.00")),
        of("p01", count=30),
        of("p01", filter=Filter(category=("Nowhere",))),
        of("unknown"),
        of(),
    ],
)
def test_what_needs_more_is_left_to_the_whole_way(shop, asked):
    assert short(asked, shop()) is None


def test_a_rule_in_force_is_left_to_the_whole_way(shop):
    assert short(of("p01"), shop(rules_=[examples.rule("hide", target_product="p02")])) is None


def test_variants_are_left_to_the_whole_way(shop):
    products = [product(item_id, item_group_id="shirt") for item_id in ITEM_IDS]
    assert short(of("p01"), shop(products=products)) is None


def test_a_changed_card_is_shown(shop):
    state = shop()
    before = short(of("p01"), state)
    changed = {"id": "p02", "title": "New title", "currency": "USD"}
    state.cards.remember([("p02", Card(500, msgspec.json.encode(changed)))])
    after = short(of("p01"), state)
    assert b"New title" not in before
    assert b"New title" in after


def test_a_card_that_may_be_out_of_date_is_not_shown(shop):
    state = shop()
    state.cards.current = False
    assert short(of("p01"), state) is None


def test_no_more_cards_stay_in_memory_than_are_kept(shop, monkeypatch):
    monkeypatch.setattr(cards, "KEPT", 3)
    state = shop()
    for item_id in ITEM_IDS[1:9]:
        assert short(of(item_id), state) is not None
        assert sum((table.places[:, 1] > 0).sum() for table in state.cards._tables.values()) <= 3


def test_a_list_too_long_for_its_room_is_left_to_the_whole_way(shop):
    state = shop()
    wide = {"id": "p02", "title": "x" * (1 << 18), "currency": "USD"}
    state.cards.remember([("p02", Card(500, msgspec.json.encode(wide)))])
    assert short(of("p01"), state) is None


@pytest.mark.parametrize(
    ("number", "digits", "text"),
    [(0, 3, b"0.0"), (1000, 3, b"1.0"), (50, 3, b"0.05"), (120, 3, b"0.12"), (12050, 3, b"12.05")],
)
def test_fractions_are_written_without_zeros_at_their_end(number, digits, text):
    written = bytearray(16)
    size = json_kernels._put_fraction(np.frombuffer(written, np.uint8), 0, number, digits)
    assert bytes(written[:size]) == text


def test_the_way_to_a_release_ends_with_it():
    engine = examples.model()
    direct.to(engine)
    gone = weakref.ref(engine)
    del engine
    gc.collect()
    assert gone() is None
