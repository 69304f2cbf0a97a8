"""Runs the lifespan of a mounted application, which Starlette's Mount does not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from runtime.asgi import ASGIApp, Message


class StartupFailed(Exception):
    """A component said that it cannot start."""


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[dict[str, Any]]:
    """Start `app`, give the state that its requests are to carry, and stop it at the end.

    StartupFailed if it refuses to start, or breaks while it does; an application that does not
    even listen, having no lifespan, just runs.
    """
    state: dict[str, Any] = {}
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    outbox: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}

    async def live() -> None:
        await app(scope, inbox.get, outbox.put)

    task = asyncio.create_task(live())
    await inbox.put({"type": "lifespan.startup"})
    supported = await _answered(task, outbox)
    if not supported and inbox.empty():
        raise StartupFailed("it broke while it started") from task.exception()
    try:
        yield state
    finally:
        if supported:
            await inbox.put({"type": "lifespan.shutdown"})
            await _answered(task, outbox)
        await asyncio.gather(task, return_exceptions=True)


async def _answered(task: asyncio.Task[None], outbox: asyncio.Queue[Message]) -> bool:
    """Wait for the application's word on the last message; False if it ends without one."""
    word = asyncio.create_task(outbox.get())
    await asyncio.wait({task, word}, return_when=asyncio.FIRST_COMPLETED)
    if not word.done():
        word.cancel()
        return False
    message = word.result()
    if message["type"].endswith(".failed"):
        raise StartupFailed(message.get("message", ""))
    return True
