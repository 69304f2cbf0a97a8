"""A release, opened: its arrays mapped into memory, its items, and scratch to rank with."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine.index import Index
from reco_app.engine.parameters import Neighbourhood, Parameters, from_dict

MANIFEST = "manifest.json"
SEAL = "seal"
ITEMS = "items.txt"


FORMAT = 3
"""Of the files in a release; a process opens only those that it was written for."""


class ReleaseCorrupt(Exception):
    """A release folder lacks a file, or a file is not what the manifest says."""


class ReleaseOutdated(ReleaseCorrupt):
    """A release was written in another format than this program reads."""


class Sessions(NamedTuple):
    """The part of the index that session kNN reads."""

    session_start: NDArray[np.int64]
    session_items: NDArray[np.int32]
    session_positions: NDArray[np.int32]
    session_weight: NDArray[np.float32]  # M: newer and shorter sessions count more
    item_start: NDArray[np.int64]
    item_sessions: NDArray[np.int32]
    match_weight: NDArray[np.float32]  # N: what a shared item is worth
    score_weight: NDArray[np.float32]  # N: what a candidate is worth
    vector_place: NDArray[np.int32]
    vectors: NDArray[np.float32]
    near_start: NDArray[np.int64]
    near_items: NDArray[np.int32]


class Scratch(NamedTuple):
    """Working arrays of one ranking: cleared again by whoever wrote them."""

    cells: NDArray[np.float32]  # one an item, 0
    touched: NDArray[np.int32]  # one an item, anything
    met: NDArray[np.uint8]  # one an item, 0
    taken: NDArray[np.uint8]  # one an item, 0
    places: NDArray[np.int32]  # one an item, -1
    similarity: NDArray[np.float32]  # one a session, 0
    matches: NDArray[np.uint64]  # one a session, 0
    marks: NDArray[np.uint8]  # one a session, 0


class Model:
    """What ranking needs, immutable but for a pool of scratch that threads take turns with."""

    def __init__(
        self,
        index: Index,
        item_ids: Sequence[str],
        parameters: Parameters,
        manifest: Mapping[str, Any] | None = None,
    ) -> None:
        self.index = Index(*(_readonly(array) for array in index))
        self.sessions = _sessions(self.index, parameters.session)
        self.item_ids = list(item_ids)
        self.items = {item_id: place for place, item_id in enumerate(self.item_ids)}
        self.parameters = parameters
        self.manifest: Mapping[str, Any] = manifest or {}
        self._pool: list[Scratch] = []

    @property
    def version(self) -> str:
        return str(self.manifest.get("version", ""))

    @contextmanager
    def scratch(self) -> Iterator[Scratch]:
        """Scratch for one ranking. After an error it is thrown away, since it may be soiled."""
        taken = self._pool.pop() if self._pool else self._new_scratch()
        yield taken
        self._pool.append(taken)

    def _new_scratch(self) -> Scratch:
        items, sessions = len(self.item_ids), len(self.index.session_at)
        return Scratch(
            np.zeros(items, np.float32),
            np.empty(items, np.int32),
            np.zeros(items, np.uint8),
            np.zeros(items, np.uint8),
            np.full(items, -1, np.int32),
            np.zeros(sessions, np.float32),
            np.zeros(sessions, np.uint64),
            np.zeros(sessions, np.uint8),
        )


def open_release(folder: Path) -> Model:
    """Verify a release and map it. Raises ReleaseCorrupt if it is not whole."""
    manifest = verify(folder)
    arrays = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        for name in Index._fields
    }
    item_ids = (folder / ITEMS).read_text().split("\n")[:-1]
    return Model(Index(**arrays), item_ids, from_dict(manifest["parameters"]), manifest)


def verify(folder: Path) -> dict[str, Any]:
    """The manifest of a whole release. Raises ReleaseCorrupt if anything differs from it."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        checksums = manifest["checksums"]
        sealed = manifest.pop(SEAL) == seal(manifest)
        parts = [checksum(folder / name) == expected for name, expected in checksums.items()]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseCorrupt(f"{folder}: {error}; publish it again or roll back") from error
    if sealed and manifest.get("format") != FORMAT:
        raise ReleaseOutdated(f"{folder}: of another version of this program; train a new release")
    needed = {f"{name}.npy" for name in Index._fields} | {ITEMS}
    if not sealed or not all(parts) or not needed <= set(checksums):
        raise ReleaseCorrupt(f"{folder}: a file is not what its manifest says; roll back")
    return manifest


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sessions(index: Index, settings: Neighbourhood) -> Sessions:
    return Sessions(
        index.session_start,
        index.session_items,
        index.session_positions,
        _readonly(_session_weight(index, settings)),
        index.item_start,
        index.item_sessions,
        _readonly(index.idf**settings.match_idf_power),
        _readonly(index.idf**settings.score_idf_power),
        index.vector_place,
        index.vectors,
        index.near_start,
        index.near_items,
    )


def _session_weight(index: Index, settings: Neighbourhood) -> NDArray[np.float32]:
    newest = index.session_at[-1] if len(index.session_at) else 0.0
    recency = np.exp((index.session_at - newest) / (86_400 * settings.recency_days))
    lengths = np.maximum(np.diff(index.session_start), 1)
    return np.asarray(recency / lengths**settings.length_power, np.float32)


def seal(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of all that a manifest says but for the seal itself."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _readonly(array: NDArray[Any]) -> NDArray[Any]:
    """A plain read-only view: mapped and built arrays then share one compiled form."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view
