"""uvicorn's HTTP, but for the head of an answer, which leaves together with its body, for answers
that computing alone finds, which leave without a task and with others of the same moment, and for
the timer of idle connections.

uvicorn writes the head first, so the system sends two packets and wakes the reader twice: 7 of the
79 µs that a cached answer took. That the head waits for the body is what the ASGI specification
asks for (HTTP, "Response Start"). A task, its messages and the coroutines between server and
application take as long as a fifth of an answer: docs/decisions/0005.
"""

import asyncio
import logging
from time import perf_counter
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from runtime import tls
from runtime.asgi import InOneGo, head_of
from runtime.overload import CAME_AT, gate

LEAVING_SECONDS = 0.001  # that an answer waits for others, and for the making of one
_HEAD, _INTERIM = b"HTTP/1.1 ", b"HTTP/1.1 1"
log = logging.getLogger("multireco.fault")


class Protocol(HttpToolsProtocol):
    """For uvicorn's option `--http`.

    An application with an attribute `in_one_go` is asked by that first about each request that
    has come as a whole; None from it, or a fault, leaves the request to the application.
    """

    def __init__(self, config: Config, *settings: Any, **named: Any) -> None:
        """Before the handshake, for which a new certificate counts at once."""
        if config.ssl:
            tls.freshen(config.ssl)
        super().__init__(config, *settings, **named)
        # One that is pipelined begins in the task of the one before it, and would join its trace.
        config.reset_contextvars = True
        below = getattr(self.app, "app", self.app)  # below what uvicorn puts around it
        self._in_one_go: InOneGo | None = getattr(below, "in_one_go", None)
        self._leaving = _leaving.setdefault(self.loop, _Leaving())
        self._reading = False
        self._idle_since: float | None = None
        self._begun: tuple[RequestResponseCycle, Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, as uvicorn's own does."""
        one_write = _HeadWithBody(transport)
        super().connection_made(cast("asyncio.Transport", one_write))
        self._transport, self._flush = transport, one_write.flush

    def data_received(self, data: bytes) -> None:
        """Read on, and only then begin what has come."""
        self._reading = self._in_one_go is not None
        super().data_received(data)
        self._reading = False
        if self._begun is not None:
            (cycle, app), self._begun = self._begun, None
            if app is not self.app or not self._is_answered(cycle):
                super()._start_asgi_task(cycle, app)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin an answer, knowing since when the request waits for it."""
        scope: Any = cycle.scope
        scope[CAME_AT] = gate.queue.came(perf_counter(), self.loop.call_soon)
        if self._reading:
            self._leaving.begin(self.loop)
            self._begun = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def _is_answered(self, cycle: RequestResponseCycle) -> bool:
        """Whether the answer was found in one go; it leaves with the others of the round."""
        if cycle.more_body or not cycle.keep_alive or self.flow.write_paused:
            return False
        if self.transport.is_closing():
            return False
        scope: Any = cycle.scope
        try:
            found = self._in_one_go(scope, bytes(cycle.body)) if self._in_one_go else None
        except Exception:  # noqa: BLE001  # the application meets it again, and tells the caller
            log.exception("no answer in one go")
            return False
        if found is None:
            return False
        cycle.response_started = cycle.response_complete = True
        wire = STATUS_LINE[found[0]] + _own(self.server_state.default_headers) + found[1]
        self._leaving.put(self._transport, wire)
        cycle.on_response = _nothing  # or the two would wait for the collector, as uvicorn says
        self._go_on()
        return True

    def eof_received(self) -> None:
        """The caller sends no more, and over TLS the connection ends with that."""
        self._leaving.go()

    def shutdown(self) -> None:
        """End the connection after what was found for it."""
        self._leaving.go()
        super().shutdown()

    def on_response_complete(self) -> None:
        """End an answer, which may have no body."""
        self._flush()
        self._go_on()

    # A timer made for each answer, and ended with the next request, takes 4 % of an answer's time:
    # docs/decisions/0005. One a connection looks, when it ends, since when nobody has asked.
    def _go_on(self) -> None:
        """What uvicorn does after an answer: begin the next, or wait for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_after(self.timeout_keep_alive)

    def _unset_keepalive_if_required(self) -> None:
        """The connection is not idle; its timer finds that by itself."""
        self._idle_since = None

    def _look_after(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self._end_if_idle)

    def _end_if_idle(self) -> None:
        """Close what nobody has used for so long, or look again when it may be."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:  # the next answer's end sees to a timer
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_after(left)
        else:
            self.timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and let no timer keep what is gone."""
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None


class _HeadWithBody:
    """A transport that keeps the head of an answer until something follows it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        # What is called for every request, without a way round through this class.
        self.is_closing = transport.is_closing
        self.get_extra_info = transport.get_extra_info
        self.resume_reading = transport.resume_reading

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write now, or with what is written next."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        elif data.startswith(_HEAD) and not data.startswith(_INTERIM):
            self._head = data
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Write what is kept."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Write what is kept, then close."""
        self.flush()
        self._transport.close()


class _Leaving:
    """Answers found in one go in one round of the loop, sent at its end.

    Sent one by one, each wakes a reader who has fallen asleep since the one before, which takes a
    fifth of an answer's time: docs/decisions/0005.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []
        self._since = 0.0
        self._round_is_open = False

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """With a request: its round ends before any task that is made from now on."""
        if not self._round_is_open:
            loop.call_soon(self._end)
            self._round_is_open = True

    def put(self, transport: asyncio.Transport, wire: bytes) -> None:
        """Send it at the end of the round, or now if one has waited for long."""
        now = perf_counter()
        if not self._waiting:
            self._since = now
        self._waiting.append((transport, wire))
        if now - self._since > LEAVING_SECONDS:
            self.go()

    def _end(self) -> None:
        self._round_is_open = False
        self.go()

    def go(self) -> None:
        """Send what waits."""
        leaving, self._waiting = self._waiting, []
        for transport, wire in leaving:
            if not transport.is_closing():
                transport.write(wire)


_leaving: WeakKeyDictionary[asyncio.AbstractEventLoop, _Leaving] = WeakKeyDictionary()


def _nothing() -> None:
    """Nobody waits for the end of this answer."""


class _Own(NamedTuple):
    """The server's own headers, which it replaces each second, and how they are sent."""

    told: list[tuple[bytes, bytes]]
    wire: bytes


_last = _Own([], b"")


def _own(told: list[tuple[bytes, bytes]]) -> bytes:
    global _last  # noqa: PLW0603  # made once for many answers
    if told is not _last.told:
        _last = _Own(told, head_of(tuple(told)).wire)
    return _last.wire
