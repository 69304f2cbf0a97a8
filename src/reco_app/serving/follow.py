"""Keeps this process up to date: the live release, what was changed in the catalogue, new events.

Three threads, so that a database that hangs does not hold back a release. Each goes on for ever:
trouble is logged and tried again, later each time.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic

from django.db import close_old_connections, connections

from reco_app.serving import delta, live, releases, rules, shelf, store

EVERY_SECONDS = 0.5
MOST_SECONDS = 1.5  # whatever the trouble was, its end is noticed within two seconds
BATCH = 2000

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Last:
    read_at: float = 0.0


_last = _Last()


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
    return [
        Follower("follow-release", releases.follow_release),
        Follower("follow-curation", curation_step),
        Follower("follow-delta", delta_step),
    ]


def curation_step() -> None:
    """`follow_curation` on a thread of its own, which must drop broken connections itself."""
    close_old_connections()
    follow_curation()


def delta_step() -> None:
    """The same for what is new since the training."""
    close_old_connections()
    delta.follow()


def follow_curation() -> None:
    """Read the rules, then what changed since, in the order of changes."""
    version = store.clock_version()
    state = live.current()
    _last.read_at = monotonic()
    if state.cards.current and state.curation.version == version == state.shelf.version:
        return
    if version < state.shelf.version:
        log.warning("PostgreSQL is older than what was read from it; reading all of it again")
        live.change(lambda state: with_shelf(state, replace(state.shelf, version=0)))
    read = rules.curation(store.all_rules(), store.all_placements(), version=version)
    live.change(lambda state: live.state_of(state.model, state.shelf, read, state.cards))
    while changes := store.changes(after=live.current().shelf.version, limit=BATCH):
        live.change(lambda state, changes=changes: with_changes(state, changes))  # type: ignore[misc]
    live.change(lambda state: caught_up(state, version))


def silent_seconds() -> float:
    """How long ago PostgreSQL last told how far it is."""
    return monotonic() - _last.read_at


def with_changes(state: live.Live, changes: list[store.Change]) -> live.Live:
    """The state after a batch of changed products."""
    state.cards.remember((change.product.id, change.card) for change in changes)
    products = state.shelf.with_products(
        (change.product for change in changes), version=changes[-1].product.version
    )
    return with_shelf(state, products)


def caught_up(state: live.Live, version: int) -> live.Live:
    """The state in which every product's change up to that version is known."""
    state.cards.current = True
    return with_shelf(state, replace(state.shelf, version=max(state.shelf.version, version)))


def with_shelf(state: live.Live, products: shelf.Shelf) -> live.Live:
    return live.state_of(state.model, products, state.curation, state.cards)
