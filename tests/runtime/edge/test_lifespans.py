"""Lifespans of mounted applications."""

import pytest

from runtime.asgi import Receive, Scope, Send
from runtime.edge.lifespans import StartupFailed, running


async def test_an_application_that_cannot_start_stops_the_router():
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(StartupFailed, match="no database"):
        async with running(failing):
            pass


async def test_an_application_that_breaks_while_it_starts_stops_the_router():
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise OSError("no database")

    with pytest.raises(StartupFailed) as failure:
        async with running(broken):
            pass
    assert str(failure.value.__cause__) == "no database"


async def test_a_started_application_is_stopped_when_another_one_cannot_start():
    told: list[str] = []

    async def sound(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(2):
            kind = (await receive())["type"]
            told.append(kind)
            await send({"type": f"{kind}.complete"})

    with pytest.raises(StartupFailed):
        async with running(sound):
            raise StartupFailed
    assert told == ["lifespan.startup", "lifespan.shutdown"]


async def test_an_application_that_knows_no_lifespan_just_runs():
    async def simple(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"

    async with running(simple) as state:
        assert state == {}
