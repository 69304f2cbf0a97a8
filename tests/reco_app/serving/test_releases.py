"""Which release a process uses, whatever happens to the files."""

import asyncio
import gc
import os
from pathlib import Path

import pytest

from reco_app.curation import store
from reco_app.engine import release
from reco_app.serving import follow, live, releases, running, service
from reco_app.serving.contracts import Request, RequestItem
from tests.reco_app.serving import examples

UNUSABLE = {
    "changed": lambda path: rewrite(path, flipped(path.read_bytes())),
    "cut short": lambda path: rewrite(path, path.read_bytes()[:-1]),
    "emptied": lambda path: rewrite(path, b""),
    "longer": lambda path: rewrite(path, path.read_bytes() + b"0"),
    "gone": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a link": lambda path: (path.rename(path.parent / "x"), path.symlink_to(path.parent / "x")),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
}
FILES = ["manifest.json", "idf.npy", "items.txt", "shelf.price.npy", "cards.bin"]
POINTERS = [
    b"",
    b"\n",
    b"../../etc\n",
    b"2026-11-22T00:00:00Z-00000000\n",
    b"\xff\xfe",
    b"x" * 9999,
]


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(live, "_state", examples.state(products=[], engine=None, version=0))
    live.current().cards.current = False


@pytest.fixture
def two(stock, model_dir):
    """Two releases, the second live."""
    return examples.publish(model_dir), examples.publish(model_dir, hour=1)


def rewrite(path, content):
    path.chmod(0o644)
    path.write_bytes(content)


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def offered():
    state = live.current()
    return {state.shelf.item_id(at) for at in state.shelf.columns.offered.nonzero()[0]}


def _cheaper(row):
    row["sale_price"] = "1.25"


def switch(model_dir, versions):
    for version in versions:
        release.set_live(model_dir, version)
        releases.follow_release()


def in_use():
    model = live.current().model
    return model.version if model else None


def test_a_release_starts_from_its_own_snapshot_without_the_database(stock, model_dir):
    version = examples.publish(model_dir)
    releases.follow_release()
    state = live.current()
    assert state.model.version == version
    assert offered() == {"p00", "p01", "p02"}
    assert state.shelf.columns.price[state.shelf.position("p02")] == 4.0
    assert b'"P02"' in bytes(
        state.cards.known([("p02", state.shelf.position("p02"))], ("title",), stale=True)["p02"]
    )


def test_what_changed_after_the_snapshot_survives_another_release(stock, model_dir):
    examples.publish(model_dir)
    releases.follow_release()
    store.change_products(["p01"], change=_cheaper, reason="test", user_id=None)
    follow.follow_curation()
    release.set_live(model_dir, examples.publish(model_dir, live_now=False, hour=1))
    releases.follow_release()
    state = live.current()
    assert state.shelf.columns.price[state.shelf.position("p01")] == 1.25
    assert offered() == {"p00", "p01", "p02"}


def test_an_older_snapshot_does_not_undo_what_was_followed(stock, model_dir):
    second = examples.publish(model_dir, live_now=False)
    store.change_products(["p01"], change=_cheaper, reason="test", user_id=None)
    follow.follow_curation()
    release.set_live(model_dir, second)
    releases.follow_release()
    state = live.current()
    assert state.shelf.columns.price[state.shelf.position("p01")] == 1.25


def test_going_back_to_an_older_snapshot_shows_no_old_price(stock, model_dir):
    first = examples.publish(model_dir)
    store.change_products(["p01"], change=_cheaper, reason="test", user_id=None)
    examples.publish(model_dir, hour=1)
    releases.follow_release()
    follow.follow_curation()
    release.set_live(model_dir, first)
    releases.follow_release()
    state = live.current()
    assert not state.cards.current
    follow.follow_curation()
    assert b'"1.25"' in bytes(live.current().cards.known([("p01", 1)], ("sale_price",))["p01"])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_live_release_that_is_not_whole_is_never_taken(two, model_dir, kind, name):
    first, second = two
    UNUSABLE[kind](release.release_path(model_dir, second) / name)
    releases.follow_release()
    assert in_use() == first
    assert second in running.conditions()["release"]
    assert first in running.conditions()["release"]


def test_a_corrupt_release_leaves_the_running_one_in_use(stock, model_dir):
    first = examples.publish(model_dir)
    releases.follow_release()
    second = examples.publish(model_dir, hour=1)
    UNUSABLE["changed"](release.release_path(model_dir, second) / "items.txt")
    releases.follow_release()
    assert in_use() == first
    assert second in releases.trouble()


def test_a_release_that_is_mended_is_taken_at_the_next_look(two, model_dir):
    path = release.release_path(model_dir, two[1]) / "idf.npy"
    whole = path.read_bytes()
    rewrite(path, flipped(whole))
    releases.follow_release()
    rewrite(path, whole)
    releases.follow_release()
    assert in_use() == two[1]
    assert running.conditions()["release"] == "ok"


def test_trouble_is_logged_once_and_shown_as_a_metric(two, model_dir, monkeypatch):
    logged = []
    monkeypatch.setattr(releases.log, "error", lambda *told, **_: logged.append(told))
    UNUSABLE["gone"](release.release_path(model_dir, two[1]) / "idf.npy")
    for _ in range(5):
        releases.follow_release()
    assert len(logged) == 1
    assert releases.not_followed._value.get() == 1


def test_a_release_changed_while_it_is_in_use_is_left_for_the_last_good_one(two, model_dir):
    releases.follow_release()
    UNUSABLE["changed"](release.release_path(model_dir, two[1]) / "idf.npy")
    releases.follow_release()
    assert in_use() == two[0]


@pytest.mark.parametrize("kind", ["gone", "a folder"])
def test_a_release_removed_while_it_is_in_use_goes_on_from_memory(two, model_dir, kind):
    releases.follow_release()
    UNUSABLE[kind](release.release_path(model_dir, two[1]) / "idf.npy")
    releases.follow_release()
    assert in_use() == two[1]
    assert "idf.npy" in releases.trouble()


def test_a_release_that_was_only_touched_stays_in_use_without_trouble(two, model_dir):
    releases.follow_release()
    os.utime(release.release_path(model_dir, two[1]) / "idf.npy")
    releases.follow_release()
    assert in_use() == two[1]
    assert releases.trouble() == ""


def test_files_that_no_manifest_names_do_no_harm(two, model_dir):
    folder = release.release_path(model_dir, two[1])
    (folder / ".nfs000001").write_text("left")
    (folder.parent / "lost+found").mkdir()
    releases.follow_release()
    assert in_use() == two[1]


@pytest.mark.parametrize("pointer", POINTERS)
def test_a_pointer_that_names_nothing_leaves_the_last_good_release(two, model_dir, pointer):
    (model_dir / "live").write_bytes(pointer)
    releases.follow_release()
    assert in_use() == two[1]
    assert releases.trouble() != ""


def test_a_pointer_that_is_lost_is_told_and_missed_by_nobody(two, model_dir):
    (model_dir / "live").unlink()
    releases.follow_release()
    assert in_use() == two[1]
    assert "names no release" in running.conditions()["release"]


def test_what_was_live_before_comes_ahead_of_what_never_was(two, model_dir):
    newer = examples.publish(model_dir, hour=2, live_now=False)
    UNUSABLE["gone"](release.release_path(model_dir, two[1]) / "idf.npy")
    releases.follow_release()
    assert newer in release.releases(model_dir)
    assert in_use() == two[0]


def test_without_any_whole_release_answers_come_from_the_catalogue(two, model_dir):
    releases.follow_release()
    for version in two:
        UNUSABLE["changed"](release.release_path(model_dir, version) / "idf.npy")
    releases.follow_release()
    assert in_use() is None
    assert offered() == {"p00", "p01", "p02"}
    assert "the catalogue alone" in releases.trouble()


def test_before_the_first_release_nothing_is_wrong(model_dir):
    releases.follow_release()
    assert running.conditions()["release"] == "none yet"


async def test_no_request_fails_while_releases_are_switched_beneath_it(two, model_dir):
    releases.follow_release()
    live.change(lambda state: follow.caught_up(state, state.shelf.version))
    request = Request(items=(RequestItem("p00"),), count=2)
    switching = asyncio.create_task(asyncio.to_thread(switch, model_dir, two * 4))
    answers = []
    while not switching.done():
        asked = (service.recommend(request, now=examples.NOW) for _ in range(8))
        answers += await asyncio.gather(*asked)
    await switching
    assert {answer.model.version for answer in answers} == set(two)
    assert {tuple(item.item_id for item in answer.items) for answer in answers} == {("p01", "p02")}
    assert all(answer.degraded == [] for answer in answers)
    assert in_use() == two[1]
    gc.collect()
    assert two[0] not in Path("/proc/self/maps").read_text()
