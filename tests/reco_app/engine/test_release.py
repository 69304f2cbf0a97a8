from datetime import UTC, datetime

import numpy as np
import pytest

from reco_app.engine import release
from reco_app.engine.model import open_release
from reco_app.engine.parameters import Parameters, from_dict, to_dict
from reco_app.engine.rank import ContextItem, rank
from reco_app.engine.sealed import ReleaseCorrupt, ReleaseOutdated
from tests.reco_app.engine.logs import model_of, random_log, same

MODEL = model_of(random_log(1, sessions=40, items=10), 12)
TRAINED_AT = datetime(2026, 11, 22, 2, 10, 4, tzinfo=UTC)


def _published(model_dir) -> str:
    folder = release.stage(model_dir)
    release.save(folder, MODEL.index, MODEL.item_ids)
    (folder / "cards.jsonl").write_text("{}\n")
    return release.publish(
        folder, model_dir, parameters=Parameters(), trained_at=TRAINED_AT, details={"events": 160}
    )


def test_a_published_release_opens_to_the_same_model(tmp_path):
    version = _published(tmp_path)

    opened = open_release(release.release_path(tmp_path, version))

    assert opened.version == version
    assert opened.manifest["events"] == 160
    assert opened.item_ids == MODEL.item_ids
    assert same(opened.index, MODEL.index)


def test_an_opened_release_ranks_as_the_built_model_does(tmp_path):
    opened = open_release(release.release_path(tmp_path, _published(tmp_path)))
    mask = np.ones(12, np.uint8)

    answers = [
        rank(model, [ContextItem(2)], scenario="session", mask=mask, count=12)
        for model in (MODEL, opened)
    ]

    assert answers[0].items.tolist() == answers[1].items.tolist()


def test_the_version_starts_with_the_time_of_training(tmp_path):
    assert _published(tmp_path).startswith("2026-11-22T02:10:04Z-")


def test_nothing_is_live_until_the_pointer_is_set(tmp_path):
    version = _published(tmp_path)
    assert release.live_version(tmp_path) is None

    release.set_live(tmp_path, version)

    assert release.live_version(tmp_path) == version
    assert release.releases(tmp_path) == [version]


def test_a_release_with_any_file_changed_is_refused(tmp_path):
    version = _published(tmp_path)
    folder = release.release_path(tmp_path, version)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        with pytest.raises(ReleaseCorrupt):
            open_release(folder)
        path.write_bytes(whole)

    assert open_release(folder).version == version


def test_a_release_that_lacks_a_file_is_refused(tmp_path):
    version = _published(tmp_path)
    folder = release.release_path(tmp_path, version)
    (folder / "idf.npy").unlink()

    with pytest.raises(ReleaseCorrupt):
        release.set_live(tmp_path, version)
    assert release.live_version(tmp_path) is None


def test_what_was_left_unfinished_is_not_a_release(tmp_path):
    folder = release.stage(tmp_path)
    release.save(folder, MODEL.index, MODEL.item_ids)

    assert release.releases(tmp_path) == []


def test_the_live_release_is_not_removed(tmp_path):
    version = _published(tmp_path)
    release.set_live(tmp_path, version)

    with pytest.raises(release.ReleaseLive):
        release.remove(tmp_path, version)


def test_parameters_survive_the_manifest():
    assert from_dict(to_dict(Parameters())) == Parameters()


def test_a_release_of_another_format_is_refused_and_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(release, "FORMAT", 1)
    version = _published(tmp_path)

    with pytest.raises(ReleaseOutdated, match="train a new release"):
        open_release(release.release_path(tmp_path, version))
