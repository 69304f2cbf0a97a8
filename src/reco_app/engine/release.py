"""The model store: releases written aside, made durable, renamed; one pointer to the live one.

The pointer is a file of lines: the live version, then those that were live before, newest first.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from reco_app.engine.index import Index
from reco_app.engine.model import ITEMS
from reco_app.engine.parameters import Parameters, to_dict
from reco_app.engine.sealed import (
    FORMAT,
    MANIFEST,
    SEAL,
    ReleaseCorrupt,
    contents,
    described,
    read_manifest,
    seal,
    verify,
)
from reco_app.engine.soundness import require_sound

LIVE = "live"
RELEASES = "releases"
STAGED = ".staged-"
REMEMBERED = 10  # versions in the pointer
STAMP = "%Y-%m-%dT%H:%M:%SZ"
AFTER_STAMP = re.compile(r"-[0-9a-f]{4,8}")
MOST_POINTER_BYTES = 4096


class ReleaseLive(Exception):
    """The live release is not to be removed."""


def stage(model_dir: Path) -> Path:
    """An empty folder beside the releases, on the same file system, for `publish`."""
    model_dir.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=STAGED, dir=model_dir))


def save(folder: Path, index: Index, item_ids: Sequence[str]) -> None:
    """Write the arrays and the items of a model into a staged folder.

    Raises Unsound if the arrays contradict one another, ValueError for ids that are not told apart.
    """
    require_sound(index, len(item_ids))
    if len(set(item_ids)) != len(item_ids) or any("\n" in item_id for item_id in item_ids):
        raise ValueError("item ids must differ, and be of one line")
    for name, array in index._asdict().items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    (folder / ITEMS).write_bytes("".join(f"{item_id}\n" for item_id in item_ids).encode())


def publish(
    folder: Path,
    model_dir: Path,
    *,
    parameters: Parameters,
    trained_at: datetime,
    details: Mapping[str, Any],
) -> str:
    """Turn a staged folder, with all files in it, into a release; returns its version.

    `details` joins the manifest: span of the data, measures, counts, and `passed`: false where
    the gate refused it. The release is whole on disk before it gets its name, and is not live until
    `set_live`. Raises OSError if the disk is full, or if there is such a release already.
    """
    stamp = trained_at.strftime(STAMP)
    manifest: dict[str, Any] = {
        **details,
        "format": FORMAT,
        "trained_at": stamp,
        "parameters": to_dict(parameters),
        "files": {path.name: described(path) for path in sorted(folder.iterdir())},
    }
    manifest["version"] = version = f"{stamp}-{seal(manifest)[:8]}"
    (folder / MANIFEST).write_text(json.dumps({**manifest, SEAL: seal(manifest)}, indent=1))
    for path in folder.iterdir():
        path.chmod(0o444)  # every process reads it, nobody changes it
        _sync(path)
    folder.chmod(0o755)
    _sync(folder)
    releases_dir = model_dir / RELEASES
    releases_dir.mkdir(exist_ok=True)
    folder.rename(releases_dir / version)
    _sync(releases_dir)
    _sync(model_dir)
    return version


def releases(model_dir: Path) -> list[str]:
    """Versions in the store, oldest first."""
    folder = model_dir / RELEASES
    names = os.listdir(folder) if folder.is_dir() else []
    return sorted(filter(_is_version, names))


def release_path(model_dir: Path, version: str) -> Path:
    return model_dir / RELEASES / version


def live_version(model_dir: Path) -> str | None:
    """What the pointer says; None before the first release, and where it names none."""
    versions = _pointer(model_dir)
    return versions[0] if versions and _is_version(versions[0]) else None


def lived(model_dir: Path) -> list[str]:
    """Versions that are still kept of those that the pointer names: the live one, then those that
    were live before it."""
    kept = set(releases(model_dir))
    return [version for version in _pointer(model_dir) if version in kept]


def to_serve(model_dir: Path) -> Iterator[str]:
    """Versions in the order in which they are to be tried: the live one, those that were live
    before, the others from new to old, and last those that the gate refused."""
    kept, named = releases(model_dir)[::-1], lived(model_dir)
    yield from named
    others = [version for version in kept if version not in named]
    refused = [version for version in others if _was_refused(release_path(model_dir, version))]
    yield from (version for version in others if version not in refused)
    yield from refused


def set_live(model_dir: Path, version: str) -> None:
    """Switch the pointer, atomically. Raises ReleaseCorrupt if that release is not whole."""
    verify(release_path(model_dir, version))
    before = [one for one in _pointer(model_dir) if one != version and _is_version(one)]
    descriptor, name = tempfile.mkstemp(prefix=STAGED, dir=model_dir)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write("".join(f"{one}\n" for one in [version, *before][:REMEMBERED]))
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(name, model_dir / LIVE)
    except BaseException:
        os.unlink(name)  # a full disk is not made fuller by each attempt
        raise
    _sync(model_dir)


def remove(model_dir: Path, version: str) -> None:
    """Delete a release, at once for all readers. Raises ReleaseLive if it is the live one."""
    if version == live_version(model_dir):
        raise ReleaseLive(f"{version} is live; switch to another release first")
    aside = stage(model_dir)
    release_path(model_dir, version).rename(aside / version)
    shutil.rmtree(aside, ignore_errors=True)  # whatever is left goes with the next training


def _is_version(name: str) -> bool:
    """Whether `publish` may have given this name: no path, and the time can be read."""
    try:
        datetime.strptime(name[:20], STAMP)
    except ValueError:
        return False
    return AFTER_STAMP.fullmatch(name[20:]) is not None


def _pointer(model_dir: Path) -> list[str]:
    try:
        pointer = contents(model_dir / LIVE, MOST_POINTER_BYTES)
    except OSError:
        return []
    return pointer.decode(errors="replace").splitlines()


def _was_refused(folder: Path) -> bool:
    try:
        return read_manifest(folder).get("passed") is False
    except ReleaseCorrupt:
        return False


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
