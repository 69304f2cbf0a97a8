import threading

import pytest

from reco_app.curation import store
from reco_app.curation.models import Placement, Rule
from reco_app.serving import follow, live
from tests.reco_app.serving import examples


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(live, "_state", examples.state(products=[], engine=None, version=0))
    live.current().cards.current = False


def offered():
    state = live.current()
    return {state.shelf.item_id(at) for at in state.shelf.columns.offered.nonzero()[0]}


def test_the_catalogue_is_read_without_any_release(stock):
    follow.follow_curation()
    assert offered() == {"p00", "p01", "p02"}
    assert live.current().curation.version == store.clock_version()


def test_a_changed_price_is_on_the_shelf_and_on_the_card(stock):
    follow.follow_curation()
    store.change_products(["p01"], change=_cheaper, reason="test", user_id=None)
    follow.follow_curation()
    state = live.current()
    assert state.shelf.columns.price[state.shelf.position("p01")] == 1.25
    assert b'"1.25"' in bytes(state.cards.known([("p01", 1)], ("sale_price",))["p01"])


def _cheaper(row):
    row["sale_price"] = "1.25"


def test_a_hidden_product_leaves_the_shelf(stock):
    follow.follow_curation()
    store.change_products(
        ["p00"], change=lambda row: row.update(visible=False), reason="test", user_id=None
    )
    follow.follow_curation()
    assert offered() == {"p01", "p02"}


def test_rules_and_placements_are_followed(stock):
    follow.follow_curation()
    store.save_curation(Rule(kind="pin", target_product_id="p02", position=1), user_id=None)
    store.save_curation(Placement(slug="home-top", name="Home", scenario="popular"), user_id=None)
    follow.follow_curation()
    assert [rule.kind for rule in live.current().curation.rules] == ["pin"]
    assert set(live.current().curation.placements) == {"home-top"}


def test_a_clock_that_was_set_back_by_a_restored_backup_is_followed_from_its_start(stock):
    live.change(lambda state: follow.caught_up(state, 10_000))
    follow.follow_curation()
    assert offered() == {"p00", "p01", "p02"}
    assert live.current().shelf.version == store.clock_version()


def test_rules_are_known_before_the_products_are_read(stock, monkeypatch):
    store.save_curation(Placement(slug="home-top", name="Home", scenario="popular"), user_id=None)
    monkeypatch.setattr(follow.store, "changes", _away)
    with pytest.raises(OSError, match="away"):
        follow.follow_curation()
    assert set(live.current().curation.placements) == {"home-top"}


def _away(**_):
    raise OSError("away")


def test_a_follower_outlives_trouble(monkeypatch):
    monkeypatch.setattr(follow, "EVERY_SECONDS", 0.01)
    calls = []

    working = threading.Event()

    def step():
        calls.append(1)
        if len(calls) < 3:
            raise OSError("away")
        working.set()

    follower = follow.Follower("test", step)
    follower.start()
    assert working.wait(5)
    follower.stop()
