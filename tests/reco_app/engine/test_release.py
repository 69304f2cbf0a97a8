import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from reco_app.engine import release
from reco_app.engine.model import open_release
from reco_app.engine.parameters import Parameters, from_dict, to_dict
from reco_app.engine.rank import ContextItem, rank
from reco_app.engine.sealed import ReleaseCorrupt, ReleaseOutdated, seal
from reco_app.engine.soundness import Unsound
from tests.reco_app.engine.logs import model_of, random_log, same

MODEL = model_of(random_log(1, sessions=40, items=10), 12)
TRAINED_AT = datetime(2026, 11, 22, 2, 10, 4, tzinfo=UTC)


def _published(model_dir, *, hour=2, **details) -> str:
    folder = release.stage(model_dir)
    release.save(folder, MODEL.index, MODEL.item_ids)
    (folder / "cards.jsonl").write_text("{}\n")
    return release.publish(
        folder,
        model_dir,
        parameters=Parameters(),
        trained_at=TRAINED_AT.replace(hour=hour),
        details={"events": 160, **details},
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
        path.chmod(0o644)
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


def test_everything_is_durable_before_it_gets_its_name(tmp_path, monkeypatch):
    told = _recorded(monkeypatch)

    version = _published(tmp_path)
    release.set_live(tmp_path, version)

    staged = next(path for call, path in told if call == "rename")
    renamed = told.index(("rename", staged))
    files = {("fsync", name) for name in os.listdir(release.release_path(tmp_path, version))}
    assert files <= set(told[:renamed])
    assert told[renamed - 1 : renamed + 3] == [
        ("fsync", staged),
        ("rename", staged),
        ("fsync", "releases"),
        ("fsync", tmp_path.name),
    ]
    (pointer,) = {path for call, path in told if call == "replace"}
    assert told[-3:] == [("fsync", pointer), ("replace", pointer), ("fsync", tmp_path.name)]


def _recorded(monkeypatch):
    """The calls that make writes durable and visible, in their order, by the name of the file."""
    told = []

    def recorded(owner, name, path_of):
        real = getattr(owner, name)

        def call(*arguments):
            told.append((name, path_of(arguments[0])))
            return real(*arguments)

        monkeypatch.setattr(owner, name, call)

    recorded(os, "fsync", lambda file: Path(os.readlink(f"/proc/self/fd/{file}")).name)
    recorded(os, "replace", lambda path: Path(path).name)
    recorded(Path, "rename", lambda path: path.name)
    return told


def test_a_full_disk_at_any_write_leaves_the_live_release(tmp_path, monkeypatch):
    live = _published(tmp_path)
    release.set_live(tmp_path, live)
    synced = []
    real = os.fsync

    def full(descriptor):
        synced.append(descriptor)
        if len(synced) == failing:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    for failing in (1, 10, 30):
        synced.clear()
        with pytest.raises(OSError, match="No space left"):
            release.set_live(tmp_path, _published(tmp_path, hour=failing % 24))
        assert release.live_version(tmp_path) == live
        assert release.releases(tmp_path) == [live]


def test_a_full_disk_at_the_switch_leaves_the_pointer_and_nothing_beside_it(tmp_path, monkeypatch):
    first, second = _published(tmp_path), _published(tmp_path, hour=3)
    release.set_live(tmp_path, first)
    monkeypatch.setattr(os, "replace", _full)

    with pytest.raises(OSError, match="No space left"):
        release.set_live(tmp_path, second)

    assert release.live_version(tmp_path) == first
    assert sorted(os.listdir(tmp_path)) == ["live", "releases"]


def _full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_same_release_cannot_be_published_twice(tmp_path):
    version = _published(tmp_path)

    with pytest.raises(OSError, match="not empty"):
        _published(tmp_path)
    assert open_release(release.release_path(tmp_path, version)).version == version


def test_every_process_may_read_a_release_and_nobody_changes_it(tmp_path):
    folder = release.release_path(tmp_path, _published(tmp_path))

    assert folder.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}


def test_what_was_live_before_is_remembered_newest_first(tmp_path):
    first, second, third = (_published(tmp_path, hour=hour) for hour in (3, 4, 5))
    for version in (first, third, second, third):
        release.set_live(tmp_path, version)

    assert release.lived(tmp_path) == [third, second, first]


def test_what_the_gate_refused_is_served_last(tmp_path):
    older, newer = _published(tmp_path, hour=3), _published(tmp_path, hour=4)
    refused = _published(tmp_path, hour=5, passed=False)

    assert list(release.to_serve(tmp_path)) == [newer, older, refused]


def test_a_release_under_another_name_is_refused(tmp_path):
    version = _published(tmp_path)
    folder = release.release_path(tmp_path, version)
    other = folder.rename(folder.with_name("2026-11-22T02:10:05Z-00000000"))

    with pytest.raises(ReleaseCorrupt, match="not that of this release"):
        open_release(other)


@pytest.mark.parametrize(
    "manifest",
    [
        *("[]", "null", "1", '"text"', "{}", "[" * 100_000, "\xff", " " * (5 << 20)),
        '{"seal": NaN}',
    ],
)
def test_a_manifest_of_any_other_shape_is_corrupt(tmp_path, manifest):
    folder = release.release_path(tmp_path, _published(tmp_path))
    (folder / "manifest.json").chmod(0o644)
    (folder / "manifest.json").write_text(manifest, encoding="latin-1")

    with pytest.raises(ReleaseCorrupt, match="roll back"):
        open_release(folder)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"files": ["idf.npy"]}, ReleaseCorrupt),
        ({"files": {"../live": [1, "0"]}}, ReleaseCorrupt),
        ({"files": {"idf.npy": ["1", "0"]}}, ReleaseCorrupt),
        ({"files": {}, "parameters": to_dict(Parameters())}, ReleaseCorrupt),
        ({"trained_at": 5}, ReleaseCorrupt),
        ({"trained_at": "yesterday"}, ReleaseCorrupt),
        ({"parameters": None}, ReleaseCorrupt),
        ({"parameters": {}}, ReleaseOutdated),
        ({"parameters": {**to_dict(Parameters()), "mood": 1.0}}, ReleaseOutdated),
        ({"parameters": {**to_dict(Parameters()), "session": [1]}}, ReleaseOutdated),
        ({"parameters": {**to_dict(Parameters()), "substitute_factor": "1"}}, ReleaseCorrupt),
        (
            {"parameters": {**to_dict(Parameters()), "substitute_factor": float("nan")}},
            ReleaseCorrupt,
        ),
        ({"format": "4"}, ReleaseOutdated),
    ],
)
def test_a_sealed_manifest_that_says_something_odd_is_refused_by_name(tmp_path, change, error):
    folder = release.release_path(tmp_path, _published(tmp_path))
    path = folder / "manifest.json"
    manifest = {**json.loads(path.read_text()), **change}
    del manifest["seal"]
    path.chmod(0o644)
    path.write_text(json.dumps({**manifest, "seal": seal(manifest)}))

    with pytest.raises(error):
        open_release(folder)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("idf", MODEL.index.idf[:-1]),
        ("idf", MODEL.index.idf.astype(np.float64)),
        ("popular_order", MODEL.index.popular_order + 1),
        ("session_items", MODEL.index.session_items - 99),
        ("item_start", MODEL.index.item_start[::-1]),
        ("item_start", np.zeros(0, np.int64)),
        ("vectors", MODEL.index.vectors * np.float32("nan")),
        ("vector_place", MODEL.index.vector_place + 1000),
    ],
)
def test_arrays_that_contradict_one_another_are_not_saved(tmp_path, name, array):
    folder = release.stage(tmp_path)

    with pytest.raises(Unsound, match=name):
        release.save(folder, MODEL.index._replace(**{name: array}), MODEL.item_ids)


@pytest.mark.parametrize("item_ids", [["a"] * 12, ["a\nb", *map(str, range(11))]])
def test_ids_that_could_not_be_told_apart_are_not_saved(tmp_path, item_ids):
    with pytest.raises(ValueError, match="must differ"):
        release.save(release.stage(tmp_path), MODEL.index, item_ids)


def test_arrays_of_another_shape_are_refused_though_the_checksums_hold(tmp_path):
    folder = release.stage(tmp_path)
    release.save(folder, MODEL.index, MODEL.item_ids)
    np.save(folder / "idf.npy", MODEL.index.idf[:-1])
    version = release.publish(
        folder, tmp_path, parameters=Parameters(), trained_at=TRAINED_AT, details={}
    )

    with pytest.raises(ReleaseCorrupt, match="idf"):
        open_release(release.release_path(tmp_path, version))


def test_a_release_that_is_removed_is_gone_at_once(tmp_path):
    first, second = _published(tmp_path), _published(tmp_path, hour=3)
    release.set_live(tmp_path, second)

    release.remove(tmp_path, first)

    assert release.releases(tmp_path) == [second]
    assert sorted(os.listdir(tmp_path)) == ["live", "releases"]
