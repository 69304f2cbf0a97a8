import threading

import pytest

from reco_app.curation import store
from reco_app.curation.models import Placement, Rule
from reco_app.engine import release
from reco_app.engine.sealed import ReleaseCorrupt
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


def test_a_release_starts_from_its_own_snapshot_without_the_database(stock, model_dir):
    version = examples.publish(model_dir)
    follow.follow_release()
    state = live.current()
    assert state.model.version == version
    assert offered() == {"p00", "p01", "p02"}
    assert state.shelf.columns.price[state.shelf.position("p02")] == 4.0
    assert b'"P02"' in bytes(
        state.cards.known([("p02", state.shelf.position("p02"))], ("title",), stale=True)["p02"]
    )


def test_what_changed_after_the_snapshot_survives_another_release(stock, model_dir):
    examples.publish(model_dir)
    follow.follow_release()
    store.change_products(["p01"], change=_cheaper, reason="test", user_id=None)
    follow.follow_curation()
    release.set_live(model_dir, examples.publish(model_dir, live_now=False, hour=1))
    follow.follow_release()
    state = live.current()
    assert state.shelf.columns.price[state.shelf.position("p01")] == 1.25
    assert offered() == {"p00", "p01", "p02"}


def test_an_older_snapshot_does_not_undo_what_was_followed(stock, model_dir):
    second = examples.publish(model_dir, live_now=False)
    store.change_products(["p01"], change=_cheaper, reason="test", user_id=None)
    follow.follow_curation()
    release.set_live(model_dir, second)
    follow.follow_release()
    state = live.current()
    assert state.shelf.columns.price[state.shelf.position("p01")] == 1.25


def test_a_corrupt_release_leaves_the_running_one_in_use(stock, model_dir):
    first = examples.publish(model_dir)
    follow.follow_release()
    second = examples.publish(model_dir, hour=1)
    (release.release_path(model_dir, second) / "items.txt").write_text("broken")
    with pytest.raises(ReleaseCorrupt):
        follow.follow_release()
    assert live.current().model.version == first


def test_a_start_with_a_corrupt_live_release_takes_the_newest_whole_one(stock, model_dir):
    first = examples.publish(model_dir)
    second = examples.publish(model_dir, hour=1)
    (release.release_path(model_dir, second) / "items.txt").write_text("broken")
    follow.follow_release()
    assert live.current().model.version == first


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
