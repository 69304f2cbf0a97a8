"""The model store: releases written aside, made durable, renamed; one pointer to the live one."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from reco_app.engine.index import Index
from reco_app.engine.model import FORMAT, ITEMS, MANIFEST, SEAL, checksum, seal, verify
from reco_app.engine.parameters import Parameters, to_dict

LIVE = "live"
RELEASES = "releases"
STAGED = ".staged-"


class ReleaseLive(Exception):
    """The live release is not to be removed."""


def stage(model_dir: Path) -> Path:
    """An empty folder beside the releases, on the same file system, for `publish`."""
    model_dir.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=STAGED, dir=model_dir))


def save(folder: Path, index: Index, item_ids: Sequence[str]) -> None:
    """Write the arrays and the items of a model into a staged folder."""
    for name, array in index._asdict().items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    (folder / ITEMS).write_text("".join(f"{item_id}\n" for item_id in item_ids))


def publish(
    folder: Path,
    model_dir: Path,
    *,
    parameters: Parameters,
    trained_at: datetime,
    details: Mapping[str, Any],
) -> str:
    """Turn a staged folder, with all files in it, into a release; returns its version.

    `details` joins the manifest: span of the data, measures, counts. The release is whole on disk
    before it gets its name. It is not live until `set_live`.
    """
    checksums = {path.name: checksum(path) for path in sorted(folder.iterdir())}
    stamp = trained_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    manifest: dict[str, Any] = {
        **details,
        "format": FORMAT,
        "trained_at": stamp,
        "parameters": to_dict(parameters),
        "checksums": checksums,
    }
    manifest["version"] = version = f"{stamp}-{seal(manifest)[:4]}"
    (folder / MANIFEST).write_text(json.dumps({**manifest, SEAL: seal(manifest)}, indent=1))
    for path in folder.iterdir():
        _sync(path)
    _sync(folder)
    releases_dir = model_dir / RELEASES
    releases_dir.mkdir(exist_ok=True)
    folder.rename(releases_dir / version)
    _sync(releases_dir)
    return version


def releases(model_dir: Path) -> list[str]:
    """Versions in the store, oldest first."""
    folder = model_dir / RELEASES
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def release_path(model_dir: Path, version: str) -> Path:
    return model_dir / RELEASES / version


def live_version(model_dir: Path) -> str | None:
    """What the pointer says, or None before the first release."""
    try:
        return (model_dir / LIVE).read_text().strip() or None
    except FileNotFoundError:
        return None


def set_live(model_dir: Path, version: str) -> None:
    """Switch the pointer, atomically. Raises ReleaseCorrupt if that release is not whole."""
    verify(release_path(model_dir, version))
    descriptor, name = tempfile.mkstemp(prefix=STAGED, dir=model_dir)
    with os.fdopen(descriptor, "w") as file:
        file.write(version + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(name).chmod(0o644)
    Path(name).replace(model_dir / LIVE)
    _sync(model_dir)


def remove(model_dir: Path, version: str) -> None:
    """Delete a release. Raises ReleaseLive if it is the live one."""
    if version == live_version(model_dir):
        raise ReleaseLive(f"{version} is live; switch to another release first")
    shutil.rmtree(release_path(model_dir, version))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
