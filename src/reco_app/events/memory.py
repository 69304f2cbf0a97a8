"""What intake must know at once, kept in the process: the products, the keys of days and hours.

With it events can be taken while PostgreSQL is away, and nothing waits for it while it is there.
"""

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import Error, close_old_connections, connections

from reco_app.events import hash_keys, senders
from reco_app.events.anonymity import day_of, hour_of

EVERY_SECONDS = 60.0  # a key that was destroyed is here no longer than that
AGAIN_SECONDS = 1.0
BEHIND = range(-7, 0)  # days whose events may still come in
AHEAD = range(2)  # today and tomorrow: a day's key is at hand before the day begins
HOURS_AHEAD = range(24)  # so that PostgreSQL may be away for as long

log = logging.getLogger(__name__)

Products = Callable[[Iterable[str]], set[str] | None]
"""Those of these ids that are products; None while no catalogue is known."""


@dataclass(slots=True)
class _Memory:
    products: Products
    keys: Mapping[date, bytes]  # replaced as a whole
    sender_keys: Mapping[datetime, bytes]  # the same


def _unknown(_: Iterable[str]) -> set[str] | None:
    return None


_memory = _Memory(_unknown, {}, {})


def known(item_ids: Iterable[str]) -> set[str] | None:
    """Those of these ids that are products; None while this process knows of no catalogue."""
    return _memory.products(item_ids)


def keys(days: Collection[date]) -> Mapping[date, bytes] | None:
    """The keys of these days; None if one of them is not at hand."""
    held = _memory.keys
    return held if all(day in held for day in days) else None


def sender_key(now: datetime) -> bytes | None:
    """The key of this hour; None if it is not at hand."""
    return _memory.sender_keys.get(hour_of(now))


def learn(now: datetime) -> None:
    """Take over the keys as they are now, and make those of the days and hours to come."""
    today = day_of(now)
    hash_keys.session_keys({today + timedelta(days=number) for number in AHEAD})
    recent = {today + timedelta(days=number) for number in (*BEHIND, *AHEAD)}
    _memory.keys = hash_keys.stored_keys(recent)
    this_hour = hour_of(now)
    _memory.sender_keys = senders.keys_of(
        [this_hour + timedelta(hours=number) for number in HOURS_AHEAD]
    )
    senders.forget_before(this_hour)


def forget() -> None:
    """As at the start of a process."""
    _memory.products, _memory.keys, _memory.sender_keys = _unknown, {}, {}


class Learner:
    """The thread that keeps the memory fresh."""

    def __init__(self, products: Products) -> None:
        _memory.products = products
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events-memory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=5)
        forget()

    def _run(self) -> None:
        pause = EVERY_SECONDS
        while not self._stopped.is_set():
            try:
                close_old_connections()
                learn(datetime.now(UTC))
                pause = EVERY_SECONDS
            except Error as error:
                log.warning("the days' keys cannot be read: %s", error)
                pause = AGAIN_SECONDS
            self._stopped.wait(pause)
        connections.close_all()
