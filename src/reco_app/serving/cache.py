"""Redis as the shared memory of all serving processes: cards and profiles for bad times.

Nothing here is needed for an answer, so every failure is a miss. The client blocks for
milliseconds: callers hand it to a thread.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import cast

import redis

from reco_app.settings import current
from runtime import metrics
from runtime.breakers import breaker

PREFIX = "multireco:serving:"
TIMEOUT_SECONDS = 0.05


def read(kind: str, names: Sequence[str]) -> dict[str, bytes]:
    """What is kept of these names; nothing while Redis is away."""
    if breaker("redis").opened:
        return {}
    try:
        with breaker("redis"), metrics.timed("redis"):
            found = _client().mget([_key(kind, name) for name in names])
    except redis.RedisError:
        return {}
    values = cast("list[bytes | None]", found)
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def keep(kind: str, values: Mapping[str, bytes], *, seconds: int) -> None:
    """Keep these for so long, if Redis is there."""
    if breaker("redis").opened:
        return
    try:
        with breaker("redis"), metrics.timed("redis"):
            pipeline = _client().pipeline(transaction=False)
            for name, value in values.items():
                pipeline.set(_key(kind, name), value, ex=seconds)
            pipeline.execute()
    except redis.RedisError:
        return


def _key(kind: str, name: str) -> str:
    return f"{PREFIX}{kind}:{name}"


@cache
def _client() -> "redis.Redis":
    return redis.Redis.from_url(
        current().redis_url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
