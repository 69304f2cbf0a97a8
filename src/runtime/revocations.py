"""Which key ids are revoked: a set in Redis that each process follows in the background.

The admin's database is the record; the set can be told again at any time. While Redis is away,
and after it has lost the set, a process goes on refusing the ids it has once seen.
"""

import logging
import os
import threading
from collections.abc import Collection, Iterable
from time import sleep
from typing import cast

import redis

from runtime import settings

_SET = "multireco:revoked-keys"
_EVERY_SECONDS = 2.0
_TIMEOUT_SECONDS = 0.25

log = logging.getLogger(__name__)


class _Followed:
    """The ids known here, and the thread that reads them; forked processes start their own."""

    def __init__(self) -> None:
        self.ids: frozenset[str] = frozenset()
        self.process_id = 0
        self.read_once = threading.Event()
        self.lock = threading.Lock()


_followed = _Followed()


def revoked(key_id: str) -> bool:
    """Whether `key_id` is revoked, as of at most two seconds ago, or of when Redis went away."""
    if _followed.process_id != os.getpid():
        _start()
    # Only the very first question can wait here, and no longer than one read of Redis may take.
    _followed.read_once.wait(_TIMEOUT_SECONDS)
    return key_id in _followed.ids


def publish(key_ids: Collection[str]) -> None:
    """Tell every process that these ids are revoked; redis.RedisError if Redis is away."""
    if key_ids:
        _connect().sadd(_SET, *key_ids)


def _start() -> None:
    with _followed.lock:
        if _followed.process_id == os.getpid():
            return
        _followed.read_once.clear()
        _followed.process_id = os.getpid()
        threading.Thread(target=_follow, name="revoked-keys", daemon=True).start()


def _follow() -> None:
    connection = _connect()
    reachable = True
    while True:
        try:
            known = cast("Iterable[bytes]", connection.smembers(_SET))
            _followed.ids |= {key_id.decode() for key_id in known}
            reachable = True
        except redis.RedisError as trouble:
            if reachable:
                log.warning("revoked keys cannot be read, going on with those known: %s", trouble)
            reachable = False
        _followed.read_once.set()
        sleep(_EVERY_SECONDS)


def _connect() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.current().redis_url,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
    )
