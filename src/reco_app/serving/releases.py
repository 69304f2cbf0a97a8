"""The release in use: the one that the pointer names, or the best that is whole.

Each look costs some forty calls of `stat`; a release is read only where one of its files, or the
pointer, is another than at the last look. What is wrong is told by `trouble`, by a metric, and by
one line of the log.
"""

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from time import monotonic

from prometheus_client import Gauge

from reco_app.engine import release
from reco_app.engine.direct import warm
from reco_app.engine.model import Model, open_release
from reco_app.engine.sealed import ReleaseCorrupt, Stamp, changed_in_place, stamps, verify
from reco_app.serving import delta, live, restore
from reco_app.settings import current
from reco_app.training import snapshot
from runtime import metrics

AGAIN_SECONDS = 30.0  # a disk that fails to read does not change the files

log = logging.getLogger(__name__)
not_followed = Gauge(
    "multireco_release_not_followed",
    "1 while the release that the pointer names cannot be used, so that another one answers.",
    registry=metrics.registry,
)
trained_at = Gauge(
    "multireco_release_trained_timestamp_seconds",
    "When the release that this process answers from was trained, since 1970; 0 without one.",
    registry=metrics.registry,
)
trained_at.set_function(lambda: _trained_at(live.current().model))


@dataclass(slots=True)
class _Seen:
    """What the last look came to."""

    live: str | None = ""  # no look yet
    stamps: dict[str, tuple[Stamp, ...]] = field(default_factory=dict)
    trouble: str = ""
    again_at: float = 0.0


_seen = _Seen()


def trouble() -> str:
    """Why answers do not come from the release that the pointer names; empty if they do."""
    return _seen.trouble


def start_again() -> None:
    """Forget the last look, as a process that starts."""
    global _seen  # noqa: PLW0603  # this module's purpose
    _seen = _Seen()


def follow_release() -> None:
    """Use the live release. One that is not whole is passed over for the last good one."""
    model_dir = current().model_dir
    version = release.live_version(model_dir)
    running = live.current().model
    if _is_as_seen(model_dir, version, running):
        return
    found = _followed(model_dir, version, running)
    if found and found != _seen.trouble:
        log.error("%s", found, extra={"release": version})
    _seen.live, _seen.trouble, _seen.again_at = version, found, monotonic() + AGAIN_SECONDS
    not_followed.set(bool(found))
    watched = _watched(version, live.current().model)
    _seen.stamps = {one: seen for one, seen in _seen.stamps.items() if one in watched}


def on_release(
    state: live.Live, model: Model | None, remembered: snapshot.Snapshot | None
) -> live.Live:
    """The state on another release: its snapshot where it knows more than this process."""
    cards = state.cards.over(remembered)
    if model is None or remembered is None:
        products = state.shelf.reordered(())
    elif state.shelf.version < remembered.version:
        products = restore.restored(model, remembered)
    else:
        products = state.shelf.reordered(model.item_ids)
        if state.cards.snapshot and remembered.version < state.cards.snapshot.version:
            # Cards of what changed between the two snapshots are in neither: read them again.
            products = replace(products, version=remembered.version)
            cards.current = False
    return live.state_of(model, products, state.curation, cards)


def _trained_at(model: Model | None) -> float:
    return datetime.fromisoformat(model.manifest["trained_at"]).timestamp() if model else 0.0


def _is_as_seen(model_dir: Path, version: str | None, running: Model | None) -> bool:
    if version != _seen.live or (_seen.trouble and monotonic() >= _seen.again_at):
        return False
    watched = _watched(version, running)
    return all(_seen.stamps.get(one) == _stamps(model_dir, one) for one in watched)


def _followed(model_dir: Path, version: str | None, running: Model | None) -> str:
    """Take what is to be used; returns what is wrong, or nothing."""
    damaged = running is not None and changed_in_place(
        _seen.stamps.get(running.version, ()), _stamps(model_dir, running.version)
    )
    wrong = f"The pointer {model_dir / release.LIVE} names no release; roll back to one"
    if version is not None:
        try:
            _take(model_dir, version, kept=None if damaged else running)
        except ReleaseCorrupt as error:
            wrong = str(error)
        else:
            return ""
    if running is not None and not damaged:
        return f"{wrong}. Answers come from {running.version}, the last good one."
    return _fallen_back(model_dir, wrong, but=version, damaged=damaged)


def _fallen_back(model_dir: Path, wrong: str, *, but: str | None, damaged: bool) -> str:
    for version in release.to_serve(model_dir):
        if version == but:
            continue
        try:
            _take(model_dir, version, kept=None)
        except ReleaseCorrupt as error:
            log.warning("%s", error)
        else:
            return f"{wrong}. Answers come from {version}, the last good one."
    if damaged:
        live.change(lambda state: on_release(state, None, None))
    if but is None and not release.releases(model_dir):
        return ""  # nothing was trained yet
    return f"{wrong}. No other release is whole, so answers come from the catalogue alone."


def _take(model_dir: Path, version: str, *, kept: Model | None) -> None:
    """Use a release, unless it is the one in use: then only look whether it still is whole."""
    folder = release.release_path(model_dir, version)
    seen = stamps(folder)
    try:
        if kept is not None and kept.version == version:
            verify(folder)
            return
        model, remembered = _opened(folder)
    finally:
        _seen.stamps[version] = seen
    warm(model)
    live.change(lambda state: delta.on(on_release(state, model, remembered)))
    log.info("release in use", extra={"release": version})


def _opened(folder: Path) -> tuple[Model, snapshot.Snapshot]:
    model = open_release(folder)
    try:
        remembered = snapshot.read(folder)
    except (OSError, ValueError) as error:
        raise ReleaseCorrupt(f"{folder.name} lacks its catalogue: {error}") from error
    if len(remembered.visible) != len(model.item_ids):
        raise ReleaseCorrupt(f"{folder.name} holds the catalogue of another release")
    return model, remembered


def _watched(version: str | None, running: Model | None) -> set[str]:
    named = {version} if version else set()
    return named | {running.version} if running else named


def _stamps(model_dir: Path, version: str) -> tuple[Stamp, ...]:
    return stamps(release.release_path(model_dir, version))
