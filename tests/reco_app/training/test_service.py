from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from reco_app.engine import release
from reco_app.engine.model import open_release
from reco_app.engine.parameters import Parameters, to_dict
from reco_app.events.models import Event
from reco_app.training import clients, gate, service, sharing, snapshot, store, tasks
from reco_app.training.models import Release
from runtime import rest

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
Shop = Callable[..., None]


@pytest.fixture(autouse=True)
def profile(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the profile service was given."""
    given: list[Any] = []
    monkeypatch.setattr(clients, "put_preferences", given.extend)
    monkeypatch.setattr(clients, "put_profiles", given.extend)
    monkeypatch.setattr(clients, "mined_slugs", set)
    return given


def train(**fields: Any) -> service.Trained:
    return service.train(**({"now": NOW, "report": lambda step, done, total: None} | fields))


def test_a_training_makes_a_release_live_that_beats_popularity(shop: Shop, model_dir: Path) -> None:
    shop()

    trained = train()

    assert trained.live
    assert trained.version.startswith("2026-11-22T12:00:00Z-")
    assert trained.measures["recall_at_20"] > trained.measures["popularity.recall_at_20"]
    assert release.live_version(model_dir) == trained.version
    assert Release.objects.get(live=True).version == trained.version


def test_a_release_holds_the_whole_catalogue_and_what_else_was_sold(
    shop: Shop, model_dir: Path
) -> None:
    shop(10)
    Event.objects.filter(item_id="p01").update(item_id="retired")

    version = train().version

    folder = release.release_path(model_dir, version)
    model, kept = open_release(folder), snapshot.read(folder)
    assert len(model.item_ids) == 61
    assert b"Product 7" in kept.card(model.items["p07"])
    assert (kept.price[model.items["p01"]], kept.price[model.items["retired"]]) == (250, -1)
    assert kept.card(model.items["retired"]) == b""


def test_an_empty_shop_gets_a_release_too(transactional_db: None, model_dir: Path) -> None:
    assert train().live
    assert open_release(release.release_path(model_dir, release.live_version(model_dir) or ""))


def test_a_release_that_loses_to_popularity_stays_out(
    shop: Shop, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(20)
    good = train()
    monkeypatch.setattr(gate, "judge", lambda *_, **__: gate.Verdict(False, "lost", {}))

    trained = train(now=NOW + timedelta(hours=1))

    assert not trained.live
    assert release.live_version(model_dir) == good.version
    assert Release.objects.get(version=trained.version).status == "refused"


def test_without_tuning_the_parameters_are_those_built_in(shop: Shop, model_dir: Path) -> None:
    shop(4_200)

    tuned, plain = train(), train(now=NOW + timedelta(hours=1), tuning=False)

    assert tuned.measures["tuning.cases"] > 0
    assert plain.measures["tuning.cases"] == 0
    assert Release.objects.get(version=plain.version).parameters == to_dict(Parameters())


def test_a_training_that_breaks_leaves_the_live_release_and_nothing_else(
    shop: Shop, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(20)
    good = train()
    with monkeypatch.context() as broken:
        broken.setattr(release, "publish", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(now=NOW + timedelta(hours=1))

    assert open_release(release.release_path(model_dir, release.live_version(model_dir) or ""))
    assert release.live_version(model_dir) == good.version
    assert not list(model_dir.glob(f"{release.STAGED}*"))


def test_only_one_training_runs_at_a_time(shop: Shop, model_dir: Path) -> None:
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [store.LOCK])

    with pytest.raises(store.TrainingRuns):
        train()

    other.close()


def test_rolling_back_makes_the_older_release_live(shop: Shop, model_dir: Path) -> None:
    shop(20)
    first, second = train(), train(now=NOW + timedelta(hours=1))

    service.switch(first.version)

    assert second.live
    assert release.live_version(model_dir) == first.version
    assert [one.live for one in service.releases()] == [False, True]


def test_rolling_back_to_nothing_is_refused(transactional_db: None, model_dir: Path) -> None:
    with pytest.raises(service.ReleaseGone):
        service.switch("2026-01-01T00:00:00Z-0000")


def test_the_last_four_that_were_live_are_kept_however_old(shop: Shop, model_dir: Path) -> None:
    days_ago = (13, 12, 11, 10, 9, 8)
    versions = [train(now=NOW - timedelta(days=days)).version for days in days_ago]
    service.switch(versions[0])

    service.prune(now=NOW)

    assert release.lived(model_dir) == [versions[0], *versions[:2:-1]]
    assert release.releases(model_dir) == [versions[0], *versions[3:]]
    assert Release.objects.get(version=versions[1]).status == "pruned"


def test_the_record_follows_the_pointer_after_a_kill_between_the_two(
    shop: Shop, model_dir: Path
) -> None:
    first, second = train(), train(now=NOW + timedelta(hours=1))
    release.set_live(model_dir, first.version)

    assert {one.version: one.live for one in service.releases()} == {
        first.version: True,
        second.version: False,
    }


def test_preferences_rest_on_ten_sessions_and_profiles_have_names(
    shop: Shop, model_dir: Path, profile: list[Any]
) -> None:
    shop()

    train()

    preferences = [one for one in profile if "item_id" in one]
    tastes = [one for one in profile if "slug" in one]
    assert len(preferences) == 60
    assert preferences[0]["categories"] == {"Home > Room 0": 1.0}
    assert all(one["sessions"] >= 10 for one in preferences)
    assert {taste["slug"] for taste in tastes} >= {f"room-{number}" for number in range(6)}


def away(_: object) -> None:
    raise rest.Unavailable("profile", "connection refused")


def test_a_missing_profile_service_is_told_and_fails_nothing(
    shop: Shop, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop()
    monkeypatch.setattr(clients, "put_preferences", away)

    trained = train()

    assert trained.live
    assert "profile is unavailable: connection refused" in trained.warnings[0]


def test_a_profile_service_that_was_away_is_told_once_it_is_back(
    shop: Shop, model_dir: Path, monkeypatch: pytest.MonkeyPatch, profile: list[Any]
) -> None:
    shop()
    with monkeypatch.context() as during:
        during.setattr(clients, "put_profiles", away)
        train()
    first = len(profile)

    tasks.share()
    told = len(profile)
    tasks.share()

    assert (first, told, len(profile)) == (60, 60 + 60 + 8, told)


def test_after_a_rollback_the_profile_service_is_told_of_the_older_release(
    shop: Shop, model_dir: Path, profile: list[Any]
) -> None:
    shop(200)
    first, _ = train(), train(now=NOW + timedelta(hours=1))
    service.switch(first.version)
    profile.clear()

    tasks.share()

    assert profile
    assert (model_dir / sharing.TOLD).read_text() == first.version


def test_a_forgotten_session_is_not_in_the_next_release(shop: Shop, model_dir: Path) -> None:
    shop(20)
    before = train().facts["sessions"]
    hashes = Event.objects.values_list("session_hash", flat=True)
    Event.objects.filter(session_hash=hashes[0]).delete()

    after = train(now=NOW + timedelta(hours=1)).facts["sessions"]

    assert (before, after) == (20, 19)
