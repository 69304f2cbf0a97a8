"""Threads that write to PostgreSQL for views that must not block the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from threading import Barrier
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connections

T = TypeVar("T")
THREADS = 4  # each waits for one commit at a time
MOST_WAITING = 200
DEADLINE_SECONDS = 5.0
_waiting: set[asyncio.Future[Any]] = set()


class Unwritable(Exception):
    """PostgreSQL is away, or slower than a caller can wait: nothing is promised to be stored."""


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="events-writer")


@cache
def _imports() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="events-import")


def close() -> None:
    """End the threads and their connections, after what they are writing."""
    for pool, threads in ((_pool, THREADS), (_imports, 1)):
        if not pool.cache_info().currsize:
            continue
        all_left = Barrier(threads)  # so that no thread takes the leave of another
        for _ in range(threads):
            pool().submit(_leave, all_left)
        pool().shutdown(wait=True)
        pool.cache_clear()


def _leave(all_left: Barrier) -> None:
    connections.close_all()
    all_left.wait()


async def write(work: Callable[[], T]) -> T:
    """Run short `work` in a thread with a sound connection. Raises Unwritable.

    Past the deadline the work may still succeed: callers repeat it, and it must bear that.
    """
    if len(_waiting) >= MOST_WAITING:
        raise Unwritable("too many writes are waiting")
    writing = asyncio.get_running_loop().run_in_executor(
        _pool(), copy_context().run, _with_connection, work
    )
    _waiting.add(writing)
    writing.add_done_callback(_waiting.discard)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await asyncio.shield(writing)
    except TimeoutError as error:
        raise Unwritable(f"no commit within {DEADLINE_SECONDS:g} s") from error


async def write_in_turn(work: Callable[[], T]) -> T:
    """Run `work` that may take minutes, one at a time, beside the short writes."""
    return await asyncio.get_running_loop().run_in_executor(_imports(), _with_connection, work)


def _with_connection(work: Callable[[], T]) -> T:
    close_old_connections()  # has the connection checked before it is used again
    try:
        return work()
    except (OperationalError, InterfaceError) as error:
        raise Unwritable("PostgreSQL does not answer") from error
