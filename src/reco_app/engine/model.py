"""A release, opened: its arrays mapped into memory, its items, and scratch to rank with."""

from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from reco_app.engine.basket_kernels import Baskets, baskets, sessions_are_baskets
from reco_app.engine.delta import NOTHING, Delta, Pairs, in_order
from reco_app.engine.index import Index
from reco_app.engine.parameters import (
    BasketNeighbourhood,
    Neighbourhood,
    Parameters,
    ParametersUnknown,
    from_dict,
)
from reco_app.engine.rows import ItemWeights
from reco_app.engine.scratch import Counting, Pool, Scratch, for_counting, for_ranking
from reco_app.engine.sealed import ReleaseCorrupt, ReleaseOutdated, opened, verify
from reco_app.engine.soundness import require_fitting

Part = TypeVar("Part", "Sessions", Baskets)
ITEMS = "items.txt"
NEEDED = {f"{name}.npy" for name in Index._fields} | {ITEMS}


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
    pair_start: NDArray[np.int64]  # rows of what sessions since then say
    pair_items: NDArray[np.int32]
    pair_weights: NDArray[np.float32]


class Model:
    """What ranking needs, immutable but for the scratch that threads take turns with.

    `pairs` is what came since the release was trained, up to the event of number `position`.
    """

    def __init__(
        self,
        index: Index,
        item_ids: Sequence[str],
        parameters: Parameters,
        manifest: Mapping[str, Any] | None = None,
    ) -> None:
        self.index = Index(*(_readonly(array) for array in index))
        self.sessions = _sessions(self.index, parameters.session)
        self.baskets = _baskets(self.index, parameters.basket_neighbourhood)
        self.item_ids = list(item_ids)
        self.parameters = parameters
        self.manifest: Mapping[str, Any] = manifest or {}
        self.version = str(self.manifest.get("version", ""))
        self.trained_at = str(self.manifest.get("trained_at", ""))
        self.pairs = Pairs(*(_readonly(array) for array in NOTHING))
        self.position = 0
        self._release: Model | None = None
        items, sessions = len(self.item_ids), len(self.index.session_at)
        self.scratch: Pool[Scratch] = Pool(lambda: for_ranking(items, sessions))
        self.counting: Pool[Counting] = Pool(lambda: for_counting(sessions))

    @cached_property
    def items(self) -> dict[str, int]:
        """Place of each item; serving finds places on its shelf and never asks for it."""
        return {item_id: place for place, item_id in enumerate(self.item_ids)}

    @property
    def release(self) -> "Model":
        """The same without what came since it was trained."""
        return self._release or self

    def with_delta(self, delta: Delta) -> "Model":
        """The release and this as one; all that stays the same is shared."""
        release = self.release
        pairs = Pairs(*(_readonly(array) for array in delta.pairs))
        index = in_order(release.index, delta)
        together = copy(release)
        together.index = Index(*(_readonly(array) for array in index))
        together.sessions = _with_rows(release.sessions, pairs.of_sessions)
        if release.baskets is not None:
            together.baskets = _with_rows(release.baskets, pairs.of_baskets)
        together.pairs, together.position, together._release = pairs, delta.position, release
        return together


def open_release(folder: Path) -> Model:
    """Verify a release and map it. Raises ReleaseCorrupt if it is not whole."""
    manifest = verify(folder)
    if NEEDED - set(manifest["files"]):
        raise ReleaseCorrupt(f"{folder.name} lacks a file; roll back, or train a new one")
    try:
        index = Index(*(_mapped(folder / f"{name}.npy") for name in Index._fields))
        with opened(folder / ITEMS) as file:
            item_ids = file.readall().decode().split("\n")[:-1]
        require_fitting(index, len(item_ids))
        parameters = from_dict(manifest["parameters"])
    except ParametersUnknown as error:
        raise ReleaseOutdated(f"{folder.name}: {error}; train a new release") from error
    except (OSError, ValueError, OverflowError) as error:
        raise ReleaseCorrupt(f"{folder.name}: {error}; roll back, or train a new one") from error
    return Model(index, item_ids, parameters, manifest)


def _mapped(path: Path) -> NDArray[Any]:
    # Not numpy.load: it would also unpickle and unzip.
    return np.lib.format.open_memmap(path, mode="r")


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
        *(_readonly(array) for array in NOTHING.of_sessions),
    )


def _with_rows(part: Part, rows: ItemWeights) -> Part:
    return part._replace(pair_start=rows.start, pair_items=rows.items, pair_weights=rows.weights)


def _baskets(index: Index, settings: BasketNeighbourhood) -> Baskets | None:
    """None where baskets alike say nothing."""
    if settings.weight <= 0 or not sessions_are_baskets(index):
        return None
    return Baskets(*(_readonly(array) for array in baskets(index, settings)))


def _session_weight(index: Index, settings: Neighbourhood) -> NDArray[np.float32]:
    newest = index.session_at[-1] if len(index.session_at) else 0.0
    recency = np.exp((index.session_at - newest) / (86_400 * settings.recency_days))
    lengths = np.maximum(np.diff(index.session_start), 1)
    return np.asarray(recency / lengths**settings.length_power, np.float32)


def _readonly(array: NDArray[Any]) -> NDArray[Any]:
    """A plain read-only view: mapped and built arrays then share one compiled form."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view
