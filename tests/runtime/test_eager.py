"""A coroutine begun by hand goes on as if it had been awaited."""

import asyncio
import gc

import pytest

from runtime.eager import Waiting, begin


async def test_what_never_waits_is_done_at_once():
    async def ready():
        return 7

    assert begin(ready()) == 7


async def test_what_waits_gives_its_result_later():
    async def slow():
        await asyncio.sleep(0)
        return await asyncio.sleep(0.001, "late")

    begun = begin(slow())
    assert isinstance(begun, Waiting)
    assert await begun == "late"


async def test_a_fault_before_the_first_wait_is_raised_at_once():
    async def broken():
        raise KeyError("early")

    with pytest.raises(KeyError, match="early"):
        begin(broken())


async def test_a_fault_after_a_wait_is_raised_where_it_is_awaited():
    async def broken():
        await asyncio.sleep(0)
        raise KeyError("late")

    begun = begin(broken())
    with pytest.raises(KeyError, match="late"):
        await begun


async def test_a_deadline_reaches_what_waits():
    ended = []

    async def stubborn():
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            ended.append("tidied")
            raise

    begun = begin(stubborn())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await begun
    assert ended == ["tidied"]


async def test_what_is_dropped_while_it_waits_is_closed():
    closed = []

    async def waiting():
        try:
            await asyncio.sleep(30)
        finally:
            closed.append(True)

    async def outer():
        await begin(waiting())

    coroutine = outer()
    coroutine.send(None)
    coroutine.close()
    gc.collect()
    assert closed == [True]
