"""The head of an answer leaves with its body, and never stays behind."""

import asyncio
from contextvars import ContextVar

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from runtime.asgi import Receive, Scope, Send
from runtime.one_write import Protocol

_before = ContextVar("before", default=b"last")
ASK = b"%b /%b HTTP/1.1\r\nHost: shop\r\n%b\r\n"


class _Wire(asyncio.Transport):
    """Notes what is written, each time that it is."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.reading = self.open = True

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.written.append(data)

    def is_closing(self) -> bool:
        return not self.open

    def close(self) -> None:
        self.open = False

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    length = [] if scope["path"] == "/parts" else [(b"content-length", b"4")]
    if scope["path"] == "/read":
        await receive()
    await send({"type": "http.response.start", "status": 200, "headers": length})
    if scope["path"] == "/broken":
        raise RuntimeError
    if scope["path"] == "/parts":
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
    inherited = _before.get()
    _before.set(b"some")
    await send({"type": "http.response.body", "body": inherited})


@pytest.fixture
async def wire() -> _Wire:
    return _Wire()


@pytest.fixture
async def protocol(wire: _Wire) -> Protocol:
    config = Config(_app, lifespan="off", access_log=False)
    config.load()
    protocol = Protocol(config, ServerState(), {})
    protocol.connection_made(wire)
    return protocol


async def _ask(protocol: Protocol, path: bytes, method: bytes = b"GET", more: bytes = b"") -> None:
    protocol.data_received(ASK % (method, path, more))
    await asyncio.sleep(0.01)


async def test_head_and_body_are_one_write(protocol, wire):
    await _ask(protocol, b"whole")
    assert len(wire.written) == 1
    assert wire.written[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert wire.written[0].endswith(b"\r\n\r\nlast")


async def test_the_head_of_a_stream_leaves_with_its_first_part(protocol, wire):
    await _ask(protocol, b"parts")
    assert wire.written[0].endswith(b"\r\n\r\n3\r\none\r\n")
    assert wire.written[1] == b"4\r\nlast\r\n0\r\n\r\n"


async def test_an_answer_without_a_body_is_sent_too(protocol, wire):
    await _ask(protocol, b"whole", b"HEAD")
    assert len(wire.written) == 1
    assert wire.written[0].endswith(b"content-length: 4\r\n\r\n")


async def test_each_answer_of_a_connection_has_its_own_head(protocol, wire):
    await _ask(protocol, b"whole")
    await _ask(protocol, b"whole")
    assert [data.count(b"HTTP/1.1 200") for data in wire.written] == [1, 1]


async def test_a_caller_who_waits_to_send_the_body_is_told_to_at_once(protocol, wire):
    await _ask(protocol, b"read", b"POST", b"Content-Length: 1\r\nExpect: 100-continue\r\n")
    assert wire.written == [b"HTTP/1.1 100 Continue\r\n\r\n"]


async def test_a_head_is_sent_before_a_fault_closes_the_connection(protocol, wire):
    await _ask(protocol, b"broken")
    assert len(wire.written) == 1
    assert not wire.open


async def test_a_body_larger_than_is_kept_stops_the_reading(protocol, wire):
    protocol.data_received(ASK % (b"POST", b"wait", b"Content-Length: 9000000\r\n"))
    protocol.data_received(b"x" * 1_000_000)
    assert not wire.reading


def _at_once(scope: Scope, body: bytes) -> tuple[int, bytes] | None:
    if body == b"bad":
        raise RuntimeError
    return (200, b"content-length: 2\r\n\r\nok") if body == b"1" else None


@pytest.fixture
async def quick(wire: _Wire, monkeypatch: pytest.MonkeyPatch) -> Protocol:
    """A connection to an application that answers the body `1` in one go."""
    monkeypatch.setattr(_app, "in_one_go", _at_once, raising=False)
    monkeypatch.setattr("runtime.one_write.LEAVING_SECONDS", 60)  # however busy the machine
    config = Config(_app, lifespan="off", access_log=False)
    config.load()
    protocol = Protocol(config, ServerState(), {})
    protocol.connection_made(wire)
    return protocol


def _another(protocol: Protocol) -> tuple[_Wire, Protocol]:
    wire, second = _Wire(), Protocol(protocol.config, ServerState(), {})
    second.connection_made(wire)
    return wire, second


def _post(body: bytes, more: bytes = b"") -> bytes:
    return ASK % (b"POST", b"whole", b"Content-Length: %d\r\n%b" % (len(body), more)) + body


async def test_what_is_found_in_one_go_is_sent_without_a_task(quick, wire):
    quick.server_state.default_headers = [(b"date", b"today")]
    quick.data_received(_post(b"1"))
    assert not quick.tasks
    await asyncio.sleep(0)
    assert wire.written == [b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 2\r\n\r\nok"]


async def test_what_is_found_in_one_round_is_sent_together(quick, wire):
    for _ in range(3):
        quick.data_received(_post(b"1"))
    assert not wire.written
    await asyncio.sleep(0)
    assert len(wire.written) == 3


async def test_no_answer_waits_for_long_for_others(quick, wire, monkeypatch):
    monkeypatch.setattr("runtime.one_write.LEAVING_SECONDS", 0)
    for _ in range(3):
        quick.data_received(_post(b"1"))
    assert len(wire.written) == 2


async def test_no_answer_waits_for_what_takes_a_task(quick, wire):
    other, second = _another(quick)
    other.written = wire.written
    second.data_received(_post(b"2"))
    quick.data_received(_post(b"1"))
    await asyncio.sleep(0.01)
    assert [data[-2:] for data in wire.written] == [b"ok", b"st"]


@pytest.mark.parametrize("end", [Protocol.eof_received, Protocol.shutdown])
async def test_what_was_found_is_sent_before_the_connection_ends(quick, wire, end):
    quick.data_received(_post(b"1"))
    end(quick)
    assert len(wire.written) == 1


async def test_an_answer_to_a_connection_that_is_gone_keeps_none_back(quick, wire):
    other, second = _another(quick)
    for each in (quick, second):
        each.data_received(_post(b"1"))
    wire.open = False
    await asyncio.sleep(0)
    assert (len(wire.written), len(other.written)) == (0, 1)


async def test_each_second_has_its_own_date(quick, wire):
    for day in (b"one", b"two"):
        quick.server_state.default_headers = [(b"date", day)]
        quick.data_received(_post(b"1"))
    await asyncio.sleep(0)
    assert [data.split(b"\r\n")[1] for data in wire.written] == [b"date: one", b"date: two"]


@pytest.mark.parametrize("body", [b"2", b"bad"])
async def test_what_is_not_found_in_one_go_is_left_to_the_application(quick, wire, body):
    quick.data_received(_post(body))
    await asyncio.sleep(0.01)
    assert [data[-4:] for data in wire.written] == [b"last"]


async def test_a_caller_who_closes_the_connection_is_answered_by_the_application(quick, wire):
    quick.data_received(_post(b"1", b"Connection: close\r\n"))
    await asyncio.sleep(0.01)
    assert [data[-4:] for data in wire.written] == [b"last"]
    assert not wire.open


async def test_a_body_in_parts_is_waited_for_by_the_application(quick, wire):
    head, body = _post(b"1")[:-1], b"1"
    quick.data_received(head)
    quick.data_received(body)
    await asyncio.sleep(0.01)
    assert [data[-4:] for data in wire.written] == [b"last"]


async def test_a_request_that_is_sent_behind_another_inherits_nothing_of_it(protocol, wire):
    protocol.data_received(ASK % (b"GET", b"whole", b"") * 3)
    await asyncio.sleep(0.02)
    assert [data[-4:] for data in wire.written] == [b"last"] * 3


async def test_answers_to_requests_sent_together_keep_their_order(quick, wire):
    quick.data_received(_post(b"1") + _post(b"2") + _post(b"1"))
    await asyncio.sleep(0.02)
    assert [data[-2:] for data in wire.written] == [b"ok", b"st", b"st"]


async def test_a_connection_that_nobody_uses_any_more_is_closed(quick, wire):
    quick.timeout_keep_alive = 0.1
    quick.data_received(_post(b"1"))
    await asyncio.sleep(0.3)
    assert not wire.open


async def test_a_connection_that_was_used_meanwhile_stays_open(quick, wire):
    quick.data_received(_post(b"1"))
    quick._idle_since -= quick.timeout_keep_alive
    quick.data_received(_post(b"1"))
    quick._end_if_idle()
    assert wire.open
    assert quick.timeout_keep_alive_task is not None


async def test_a_connection_whose_answer_takes_long_stays_open(protocol, wire):
    await _ask(protocol, b"whole")
    protocol.data_received(ASK % (b"POST", b"read", b"Content-Length: 1\r\n"))
    protocol._end_if_idle()
    assert wire.open
    protocol.data_received(b"1")
    await asyncio.sleep(0.01)
    assert protocol.timeout_keep_alive_task is not None


async def test_no_timer_keeps_a_connection_that_is_gone(quick):
    quick.data_received(_post(b"1"))
    timer = quick.timeout_keep_alive_task
    quick.connection_lost(None)
    assert timer.cancelled()
    assert quick.timeout_keep_alive_task is None
