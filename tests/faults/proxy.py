"""A TCP proxy before one server of this machine: a network that a test can make bad.

What the server says can be late (`delay_seconds`); nothing at all can pass (`blackhole`); the
connections can end, in order (`drop`) or not (`reset`). All of it holds until it is taken back.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

CHUNK = 1 << 16
MOST_WAITING = 64  # chunks on their way; then the sender has to wait, as with any network
_RESET = struct.pack("ii", 1, 0)  # linger for no time: the end is an RST


class FaultProxy:
    """Passes bytes between its callers and the server at `target_port`, on one event loop."""

    def __init__(self, target_port: int) -> None:
        self.delay_seconds = 0.0
        self.target_port = target_port  # of connections that are made from now on
        self._passing = asyncio.Event()
        self._passing.set()
        self._ends: set[asyncio.StreamWriter] = set()
        self._joined: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self, port: int = 0) -> int:
        """Take connections; returns the port."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", port)
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    async def close(self) -> None:
        """Refuse connections, as a server that has died, and reset those that there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.reset()
        for task in self._joined:
            task.cancel()
        await asyncio.gather(*self._joined, return_exceptions=True)

    async def drop(self) -> None:
        """End every connection in order, in the middle of whatever it carries."""
        for end in list(self._ends):
            end.close()

    async def reset(self) -> None:
        """End every connection with an RST."""
        for end in list(self._ends):
            _reset(end)

    async def blackhole(self) -> None:
        """Let nothing pass, either way, without a word; who connects finds an open port."""
        self._passing.clear()

    async def heal(self) -> None:
        """Pass everything on at once, what was held back too."""
        self.delay_seconds = 0.0
        self._passing.set()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        joined = asyncio.create_task(self._join(reader, writer))
        self._joined.add(joined)
        joined.add_done_callback(self._joined.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._ending(writer):
            await self._passing.wait()
            try:
                there = await asyncio.open_connection("127.0.0.1", self.target_port)
            except OSError:
                _reset(writer)
                return
            with self._ending(there[1]):
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pass(reader, there[1], late=False))
                    both.create_task(self._pass(there[0], writer, late=True))

    @contextmanager
    def _ending(self, end: asyncio.StreamWriter) -> Iterator[None]:
        self._ends.add(end)
        try:
            yield
        finally:
            self._ends.discard(end)
            end.close()

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, late: bool
    ) -> None:
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MOST_WAITING)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._deliver(waiting, target))
            chunk = b"-"
            while chunk:
                try:
                    chunk = await source.read(CHUNK)
                except OSError:
                    chunk = b""
                delay = self.delay_seconds if late else 0.0
                await waiting.put((asyncio.get_running_loop().time() + delay, chunk))

    async def _deliver(
        self, waiting: "asyncio.Queue[tuple[float, bytes]]", target: asyncio.StreamWriter
    ) -> None:
        """What waits, each when it is due; an empty chunk is the end."""
        loop = asyncio.get_running_loop()
        while True:
            due, chunk = await waiting.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            await self._passing.wait()
            if not chunk:
                target.close()
                return
            with suppress(OSError):
                target.write(chunk)
                await target.drain()


class Threaded:
    """The same for code that is not async: the proxy's loop has a thread of its own."""

    def __init__(self, proxy: FaultProxy, loop: asyncio.AbstractEventLoop) -> None:
        self.proxy = proxy
        self._loop = loop

    def do(self, step: Coroutine[Any, Any, Any]) -> Any:
        """Have the proxy take this step, as in `do(proxy.reset())`."""
        return asyncio.run_coroutine_threadsafe(step, self._loop).result()


@contextmanager
def in_a_thread(target_port: int) -> Iterator[tuple[Threaded, int]]:
    """A proxy and the port at which it listens."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fault-proxy", daemon=True)
    thread.start()
    threaded = Threaded(FaultProxy(target_port), loop)
    try:
        yield threaded, threaded.do(threaded.proxy.open())
    finally:
        threaded.do(threaded.proxy.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _reset(end: asyncio.StreamWriter) -> None:
    held: socket.socket = end.get_extra_info("socket")
    with suppress(OSError):
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    end.transport.abort()
