import msgspec
import numpy as np

from reco_app.engine.rank import ContextItem
from reco_app.serving import shelf
from reco_app.serving.candidates import NEWCOMERS, collect
from tests.reco_app.serving import examples
from tests.reco_app.serving.examples import product


def test_a_list_is_full_before_the_first_release_though_the_newest_are_all_variants():
    variants = [
        product(f"v{n}", item_group_id="shirt", published_at="2026-11-20T00:00:00Z")
        for n in range(NEWCOMERS + 100)
    ]
    older = [product(f"p{n}", published_at=f"2026-10-{n + 1:02}T00:00:00Z") for n in range(20)]
    changes = [msgspec.convert(each, shelf.ShelfProduct) for each in variants + older]
    stock = shelf.empty(()).with_products(changes, version=1)
    allowed = np.ones(stock.size, np.uint8)
    found = collect(None, stock, [], scenario="popular", allowed=allowed, depth=12, needed=12)
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
        examples.MODEL, stock, context, scenario="session", allowed=allowed, depth=12, needed=12
    )
    assert [stock.item_id(position) for position in found.positions] == ["fresh"]
