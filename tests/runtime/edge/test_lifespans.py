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


async def test_an_application_that_knows_no_lifespan_just_runs():
    async def simple(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"

    async with running(simple) as state:
        assert state == {}
