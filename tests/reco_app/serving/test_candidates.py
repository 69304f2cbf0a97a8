import msgspec
import numpy as np

from reco_app.engine.rank import ContextItem, rank
from reco_app.serving import candidates, shelf
from reco_app.serving.candidates import NEWCOMERS, collect
from reco_app.serving.contracts import Request, RequestItem
from reco_app.serving.decision import decide
from reco_app.serving.question import understood
from tests.reco_app.serving import examples
from tests.reco_app.serving.examples import product

NONE = np.empty(0, np.int64)


def test_a_list_is_full_before_the_first_release_though_the_newest_are_all_variants():
    variants = [
        product(f"v{n}", item_group_id="shirt", published_at="2026-11-20T00:00:00Z")
        for n in range(NEWCOMERS + 100)
    ]
    older = [product(f"p{n}", published_at=f"2026-10-{n + 1:02}T00:00:00Z") for n in range(20)]
    changes = [msgspec.convert(each, shelf.ShelfProduct) for each in variants + older]
    stock = shelf.empty(()).with_products(changes, version=1)
    allowed = np.ones(stock.size, np.uint8)
    found = collect(
        None, stock, [], scenario="popular", allowed=allowed, last=NONE, depth=12, needed=12
    )
    ids = [stock.item_id(position) for position in found.positions[:4]]
    assert ids == ["v0", "p19", "p18", "p17"]
    assert len(found.positions) == 21


def test_where_nothing_of_the_release_may_appear_what_is_newer_does():
    everything = [*(product(item_id) for item_id in examples.ITEM_IDS), product("fresh")]
    changes = [msgspec.convert(each, shelf.ShelfProduct) for each in everything]
    stock = shelf.empty(examples.ITEM_IDS).with_products(changes, version=1)
    allowed = np.zeros(stock.size, np.uint8)
    allowed[stock.position("fresh")] = 1
    context = [ContextItem(0), ContextItem(1)]
    found = collect(
        examples.MODEL,
        stock,
        context,
        scenario="session",
        allowed=allowed,
        last=NONE,
        depth=12,
        needed=12,
    )
    assert [stock.item_id(position) for position in found.positions] == ["fresh"]


def in_groups(size, *, of):
    """The example shop, `size` products of it in groups of `of` variants."""
    return examples.state(
        products=[
            product(item_id, item_group_id=f"g{at // of}" if at < size else "")
            for at, item_id in enumerate(examples.ITEM_IDS)
        ]
    )


def recommended(request, state):
    question = understood(request, state, now=examples.NOW, placement_rules=None)
    found = decide(request, question, state, profile=None)
    return [state.shelf.item_id(pick.position) for pick in found.picks]


def test_a_list_is_full_where_the_engine_finds_variants_of_few_products_first(monkeypatch):
    asked = []

    def counting(*given, count, **others):
        asked.append(count)
        return rank(*given, count=count, **others)

    monkeypatch.setattr(candidates, "rank", counting)
    state = in_groups(24, of=12)
    assert len(recommended(Request(scenario="popular", count=4), state)) == 4
    assert len(asked) <= 2


def test_variants_of_what_is_at_hand_come_last():
    request = Request(items=(RequestItem("p00"),), count=29)
    found = recommended(request, in_groups(3, of=3))
    assert [item_id for item_id in found if item_id in ("p00", "p01", "p02")] == [found[-1]]
    assert len(found) == 28


def test_variants_of_what_is_at_hand_fill_a_list_that_nothing_else_fills():
    state = examples.state(products=[product(f"p{n:02}", item_group_id="one") for n in range(5)])
    assert len(recommended(Request(items=(RequestItem("p00"),)), state)) == 1


def test_where_what_is_at_hand_may_come_back_so_may_its_variants():
    request = Request(items=(RequestItem("p00"),), count=3, include_context=True)
    assert recommended(request, in_groups(3, of=3))[0] in ("p00", "p01")
