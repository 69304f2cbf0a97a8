"""Keeps this process up to date: the live release, and what was changed in the catalogue.

Two threads, so that a database that hangs does not hold back a release. Each goes on for ever:
trouble is logged and tried again, later each time.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from django.db import close_old_connections, connections

from reco_app.engine import release
from reco_app.engine.model import Model, ReleaseCorrupt, open_release
from reco_app.engine.rank import warm
from reco_app.serving import live, restore, rules, shelf, store
from reco_app.settings import current
from reco_app.training import snapshot

EVERY_SECONDS = 0.5
MOST_SECONDS = 1.5  # whatever the trouble was, its end is noticed within two seconds
BATCH = 2000
REFUSED_SECONDS = 30.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Refused:
    """The release that was found corrupt last: not read again at every look."""

    version: str = ""
    until: float = 0.0


_refused = _Refused()


class Follower:
    """One thread that repeats a step until it is stopped."""

    def __init__(self, name: str, step: Callable[[], None]) -> None:
        self._step = step
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        wait = EVERY_SECONDS
        trouble = ""
        while not self._stopped.is_set():
            try:
                self._step()
                wait, trouble = EVERY_SECONDS, ""
            except Exception as error:  # noqa: BLE001  # a thread's edge: it must outlive all
                if str(error) != trouble:
                    log.warning("cannot follow, trying again until it works", exc_info=True)
                wait, trouble = min(wait * 2, MOST_SECONDS), str(error)
            self._stopped.wait(wait)
        connections.close_all()


def followers() -> list[Follower]:
    return [Follower("follow-release", follow_release), Follower("follow-curation", curation_step)]


def curation_step() -> None:
    """`follow_curation` on a thread of its own, which must drop broken connections itself."""
    close_old_connections()
    follow_curation()


def follow_release() -> None:
    """Open the live release if it is another than the one in use."""
    model_dir = current().model_dir
    version = release.live_version(model_dir)
    running = live.current().model
    if version is None or (running is not None and running.version == version):
        return
    if version == _refused.version and monotonic() < _refused.until:
        return
    _switch_to(_opened(model_dir, version, running))


def _opened(model_dir: Path, version: str, running: Model | None) -> Model:
    """The named release; without any in use, the newest whole one is better than none."""
    try:
        return open_release(release.release_path(model_dir, version))
    except ReleaseCorrupt:
        _refused.version, _refused.until = version, monotonic() + REFUSED_SECONDS
        if running is not None:
            raise
        log.exception("the live release is corrupt, looking for an older one")
    for other in reversed(release.releases(model_dir)):
        try:
            return open_release(release.release_path(model_dir, other))
        except ReleaseCorrupt:
            log.warning("release %s is corrupt", other)
    raise ReleaseCorrupt(f"no release in {model_dir} is whole; train a new one")


def _switch_to(model: Model) -> None:
    warm(model)
    remembered = snapshot.read(release.release_path(current().model_dir, model.version))
    live.change(lambda state: on_release(state, model, remembered))
    log.info("release in use", extra={"release": model.version})


def on_release(state: live.Live, model: Model, remembered: snapshot.Snapshot) -> live.Live:
    """The state on another release: its snapshot where it knows more than this process."""
    if state.shelf.version >= remembered.version:
        products = state.shelf.reordered(model.item_ids)
    else:
        products = restore.restored(model, remembered)
    return live.state_of(model, products, state.curation, state.cards.over(remembered))


def follow_curation() -> None:
    """Read what changed since, in the order of changes, and then the rules."""
    version = store.clock_version()
    state = live.current()
    if state.cards.current and state.curation.version == version == state.shelf.version:
        return
    while changes := store.changes(after=live.current().shelf.version, limit=BATCH):
        live.change(lambda state, changes=changes: with_changes(state, changes))  # type: ignore[misc]
    read = rules.curation(store.all_rules(), store.all_placements(), version=version)
    live.change(lambda state: caught_up(state, read))


def with_changes(state: live.Live, changes: list[store.Change]) -> live.Live:
    """The state after a batch of changed products."""
    state.cards.remember((change.product.id, change.card) for change in changes)
    products = state.shelf.with_products(
        (change.product for change in changes), version=changes[-1].product.version
    )
    return live.state_of(state.model, products, state.curation, state.cards)


def caught_up(state: live.Live, read: rules.Curation) -> live.Live:
    """The state in which every product's change up to the rules' version is known."""
    state.cards.current = True
    products: shelf.Shelf = replace(state.shelf, version=max(state.shelf.version, read.version))
    return live.state_of(state.model, products, read, state.cards)
