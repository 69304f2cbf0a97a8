"""Large, slow and compressed bodies never reach the application."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from runtime import body_guard
from runtime.asgi import ASGIApp, Head, Message, Receive, Scope, Send, answer, head_of
from runtime.body_guard import guard


class _Echo:
    """Answers with what it was sent, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        await answer(send, status=200, body=body, media_type="text/plain")


@pytest.fixture
def echo() -> _Echo:
    return _Echo()


@pytest.fixture
def client(echo) -> httpx2.AsyncClient:
    return _client(guard(echo, body_limits={"/wide/": 1000, "/wide/open/": 0, "/narrow/": 10}))


def _client(app: ASGIApp) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test")


async def _chunks(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


async def test_a_small_body_arrives_whole(client):
    assert (await client.post("/narrow/", content=b"123")).text == "123"


async def test_an_announced_large_body_is_refused_before_a_byte_is_read(echo):
    async def never() -> Message:
        raise AssertionError("the body was read")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/", "headers": [(b"content-length", b"10485760")]}
    await guard(echo, body_limits={})(scope, never, send)
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]
    assert echo.asked == 0


async def test_a_body_of_unknown_length_is_counted(client, echo):
    refused = await client.post("/narrow/", content=_chunks(6, 6))
    assert refused.status_code == 413
    assert refused.json()["code"] == "body-too-large"
    assert echo.asked == 0


async def test_the_longest_prefix_decides(client):
    assert (await client.post("/wide/", content=b"x" * 1000)).status_code == 200
    assert (await client.post("/wide/", content=b"x" * 1001)).status_code == 413
    assert (await client.post("/wide/open/", content=b"x" * 100_000)).status_code == 200


async def test_where_no_prefix_fits_64_kib_are_taken(client):
    assert (await client.post("/other", content=b"x" * 65_536)).status_code == 200
    assert (await client.post("/other", content=b"x" * 65_537)).status_code == 413


async def test_a_slow_body_is_given_up(client, echo, monkeypatch):
    monkeypatch.setattr(body_guard, "_WHOLE_BODY_SECONDS", 0.05)

    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.02)

    refused = await client.post("/other", content=dripping())
    assert refused.status_code == 408
    assert refused.json()["code"] == "body-too-slow"
    assert echo.asked == 0


async def test_a_compressed_body_is_refused(client):
    refused = await client.post("/other", content=b"x", headers={"Content-Encoding": "gzip"})
    assert refused.status_code == 415
    assert refused.json()["code"] == "unsupported-media-type"


async def test_a_client_that_hangs_up_gets_no_answer(echo):
    async def hung_up() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError("answered nobody")

    scope = {"type": "http", "path": "/", "headers": [(b"content-length", b"5")]}
    await guard(echo, body_limits={})(scope, hung_up, send)
    assert echo.asked == 0


def _shout(scope: Scope, body: bytes) -> tuple[Head, bytes] | None:
    return (head_of(((b"x-loud", b"yes"),)), body.upper()) if body != b"quiet" else None


async def test_what_is_answered_at_once_never_reaches_the_application(echo):
    client = _client(guard(echo, body_limits={}, at_once=_shout))
    answered = await client.post("/other", content=b"loud")
    assert (answered.text, answered.headers["x-loud"], echo.asked) == ("LOUD", "yes", 0)
    assert (await client.post("/other", content=b"quiet")).text == "quiet"


async def test_a_body_that_is_too_large_is_not_answered_at_once_either(echo):
    client = _client(guard(echo, body_limits={"/narrow/": 10}, at_once=_shout))
    assert (await client.post("/narrow/", content=b"x" * 11)).status_code == 413
