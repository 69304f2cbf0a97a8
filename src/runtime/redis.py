"""Redis for code that is async: one client an event loop, and short reads and writes of values.

Nothing that is kept here is needed: while Redis is away or slow, every read is a miss. Once it has
failed repeatedly nobody waits for it; whether it is back is found out beside those who ask.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from runtime import metrics, settings, tracing
from runtime.breakers import Breaker, breaker

TIMEOUT_SECONDS = 0.1
_MOST_CONNECTIONS = 32

Told = TypeVar("Told")


class _Lent(NamedTuple):
    client: Redis
    breaker: Breaker
    closing: AsyncGenerator[Redis, None]
    trials: set[asyncio.Task[None]]


_lent: dict[asyncio.AbstractEventLoop, _Lent] = {}


async def read(names: Sequence[str]) -> dict[str, bytes]:
    """What is kept under these names; nothing while Redis is away."""

    async def ask(client: Redis) -> dict[str, bytes]:
        found: list[bytes | None] = await client.mget(names)
        return {name: value for name, value in zip(names, found, strict=True) if value is not None}

    return await asked(ask, otherwise={})


async def keep(values: Mapping[str, bytes], *, seconds: float) -> None:
    """Keep these for so long, if Redis is there."""

    async def ask(client: Redis) -> None:
        pipeline: Any = client.pipeline(transaction=False)
        for name, value in values.items():
            pipeline.set(name, value, px=round(seconds * 1000))
        await pipeline.execute()

    if values:
        await asked(ask, otherwise=None)


async def drop(names: Sequence[str]) -> None:
    """Keep nothing under these names, if Redis is there."""

    async def ask(client: Redis) -> None:
        await client.unlink(*names)

    if names:
        await asked(ask, otherwise=None)


async def asked(ask: Callable[[Redis], Awaitable[Told]], *, otherwise: Told) -> Told:
    """What Redis tells, or else `otherwise`, soon."""
    lent = await _of_this_loop()
    if not lent.breaker.closed:
        _try_again(lent)
        return otherwise
    try:
        with lent.breaker, metrics.timed("redis"), tracing.calling("redis", "ask"):
            return await ask(lent.client)
    except RedisError:
        return otherwise


def _try_again(lent: _Lent) -> None:
    """See in a task of its own whether Redis is back, if that is due."""

    async def ping() -> None:
        with suppress(RedisError), lent.breaker, metrics.timed("redis"):
            await cast("Awaitable[bool]", lent.client.ping())

    if not lent.breaker.admits():
        return
    trial = asyncio.create_task(ping())
    lent.trials.add(trial)
    trial.add_done_callback(lent.trials.discard)


async def _of_this_loop() -> _Lent:
    loop = asyncio.get_running_loop()
    if loop not in _lent:
        url = settings.current().redis_url
        closing = _until_the_loop_ends(loop, url)
        # Named by its address: another server's failures say nothing about this one.
        spared = breaker(f"redis {urlsplit(url)[1:3]}")
        _lent[loop] = _Lent(await anext(closing), spared, closing, set())
    return _lent[loop]


async def _until_the_loop_ends(
    loop: asyncio.AbstractEventLoop, url: str
) -> AsyncGenerator[Redis, None]:
    """A client; a loop that is shut down ends the asynchronous generators begun on it."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_MOST_CONNECTIONS,
        timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
    try:
        yield Redis.from_pool(pool)
    finally:
        _lent.pop(loop, None)
        await pool.aclose()
