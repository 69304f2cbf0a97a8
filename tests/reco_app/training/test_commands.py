import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from reco_app.engine import release
from reco_app.events import days
from reco_app.training import gate, store

Output = pytest.CaptureFixture[str]
Shop = Callable[..., None]


def test_train_tells_what_it_made_live(shop: Shop, model_dir: Path, capsys: Output) -> None:
    shop(20)

    call_command("train", "--json")

    told = json.loads(capsys.readouterr().out)
    assert (told["live"], told["facts"]["events"]) == (True, 80)
    assert told["version"] == release.live_version(model_dir)
    assert told["warnings"] == []


def test_train_exits_1_for_a_refused_release(
    shop: Shop, model_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    call_command("train")
    monkeypatch.setattr(gate, "judge", lambda *_, **__: gate.Verdict(False, "lost", {}))

    with pytest.raises(SystemExit) as exit_:
        call_command("train")

    assert exit_.value.code == 1
    assert "was refused; the live release stays" in capsys.readouterr().out


def test_train_exits_2_while_another_runs(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy() -> None:
        raise store.TrainingRuns("Another training is running; wait for it to end.")

    monkeypatch.setattr(store, "alone", busy)

    with pytest.raises(CommandError) as error:
        call_command("train")

    assert error.value.returncode == 2


def test_train_exits_2_while_somebody_stores_for_long(
    shop: Shop, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy() -> int:
        raise days.StoredMeanwhile("Try again.")

    monkeypatch.setattr(days, "cut", busy)

    with pytest.raises(CommandError, match="Try again") as error:
        call_command("train")

    assert error.value.returncode == 2


def test_releases_lists_and_rolls_back(shop: Shop, model_dir: Path, capsys: Output) -> None:
    call_command("train")
    call_command("train")
    older = release.releases(model_dir)[0]
    capsys.readouterr()

    call_command("releases", "--rollback", older, "--json")

    listed = json.loads(capsys.readouterr().out)
    assert [one["version"] for one in listed if one["live"]] == [older]


def test_releases_fit_eighty_columns_and_tell_of_damage(
    shop: Shop, model_dir: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    call_command("train")
    version = release.releases(model_dir)[0]
    (release.release_path(model_dir, version) / "idf.npy").unlink()
    capsys.readouterr()

    call_command("releases")

    printed = capsys.readouterr()
    assert version in printed.out
    assert max(map(len, printed.out.splitlines())) <= 80
    assert "idf.npy" in printed.err


def test_rolling_back_to_an_unknown_release_exits_2(
    transactional_db: None, model_dir: Path
) -> None:
    with pytest.raises(CommandError) as error:
        call_command("releases", "--rollback", "nonsense")

    assert error.value.returncode == 2
