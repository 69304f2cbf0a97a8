"""The bad network does what it says, or the drills and fault tests would show nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.faults.proxy import FaultProxy, in_a_thread

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def echo_port() -> AsyncIterator[int]:
    """A server that says what it hears, and ends when its caller does."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while heard := await reader.read(1 << 16):
                writer.write(heard)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def proxy(echo_port: int) -> AsyncIterator[FaultProxy]:
    proxy = FaultProxy(echo_port)
    yield proxy
    await proxy.heal()
    await proxy.close()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Ends]:
    ends = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield ends
    finally:
        ends[1].close()
        with suppress(ConnectionError):
            await ends[1].wait_closed()


@pytest.fixture
async def ends(proxy: FaultProxy) -> AsyncIterator[Ends]:
    """A connection through the proxy, over which something has passed."""
    async with connected(await proxy.open()) as ends:
        assert await said(ends, b"hello") == b"hello"
        yield ends


async def said(ends: Ends, words: bytes, seconds: float = 5.0) -> bytes:
    ends[1].write(words)
    async with asyncio.timeout(seconds):
        return await ends[0].readexactly(len(words))


async def test_what_passes_is_what_was_sent(ends):
    much = bytes(range(256)) * 20_000

    assert await said(ends, much) == much


async def test_a_delay_holds_for_every_answer_and_not_for_all_after_one_another(proxy, ends):
    proxy.delay_seconds = 0.3
    began = time.monotonic()
    for word in (b"a", b"b", b"c", b"d"):
        ends[1].write(word)
        await asyncio.sleep(0.05)

    assert await ends[0].readexactly(4) == b"abcd"
    assert 0.4 <= time.monotonic() - began < 1.2


async def test_nothing_passes_a_black_hole_until_it_is_healed(proxy, ends):
    await proxy.blackhole()
    with pytest.raises(TimeoutError):
        await said(ends, b"lost", seconds=0.3)

    await proxy.heal()

    assert await ends[0].readexactly(4) == b"lost"


async def test_a_dropped_connection_ends_in_order(proxy, ends):
    await proxy.drop()

    assert await ends[0].read() == b""


async def test_a_reset_connection_does_not(proxy, ends):
    await proxy.reset()

    with pytest.raises(ConnectionResetError):
        await ends[0].read()


async def test_a_closed_proxy_refuses_and_opens_again_where_it_was(proxy):
    port = await proxy.open()
    await proxy.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)

    await proxy.open(port)

    async with connected(port) as ends:
        assert await said(ends, b"again") == b"again"


async def test_a_server_that_is_away_resets_its_callers(proxy):
    proxy.target_port = 1  # nobody listens there

    async with connected(await proxy.open()) as ends:
        with pytest.raises(ConnectionResetError):
            await ends[0].read()


async def test_code_that_is_not_async_has_it_in_a_thread(echo_port):
    def late() -> float:
        with in_a_thread(echo_port) as (threaded, port):
            threaded.proxy.delay_seconds = 0.2
            began = time.monotonic()
            assert asyncio.run(heard(port)) == b"hello"
            return time.monotonic() - began

    async def heard(port: int) -> bytes:
        async with connected(port) as ends:
            return await said(ends, b"hello")

    assert await asyncio.to_thread(late) >= 0.2
