"""The reverse proxy alone, where a whole router would hide who is to blame."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from runtime.asgi import Message
from runtime.edge.forwarding import forwarder
from runtime.problems import Problem


async def test_a_caller_that_hangs_up_is_no_outage_of_the_component():
    told: list[Message] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return told.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError("answered nobody")

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/imports/products",
        "query_string": b"",
        "headers": [(b"content-length", b"100")],
    }
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app, client = forwarder("reco", f"http://127.0.0.1:{listening.getsockname()[1]}")
        await app(scope, receive, send)
        await client.aclose()
    assert told == []


@contextmanager
def ending_once() -> Iterator[tuple[str, list[bytes]]]:
    """A component that ends the first connection without an answer, as a process that is stopped;
    what it was sent.
    """
    sent: list[bytes] = []

    def accept() -> None:
        with suppress(OSError):  # until it is closed
            while True:
                connection, _ = listening.accept()
                with connection:
                    sent.append(request(connection))
                    if len(sent) > 1:
                        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    def request(connection: socket.socket) -> bytes:
        told = connection.recv(65536)
        while b"content-length" in told and not told.endswith(b"}"):
            told += connection.recv(65536)
        return told

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", sent
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


async def asked(url: str, method: str, path: str, body: bytes = b"") -> int:
    """The status of an answer; raises Problem."""
    told: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        told.append(message)

    headers = [(b"content-length", str(len(body)).encode())] if body else []
    scope = {"type": "http", "method": method, "path": path, "query_string": b""}
    app, client = forwarder("reco", url)
    try:
        await app({**scope, "headers": headers}, receive, send)
    finally:
        await client.aclose()
    return int(told[0]["status"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/products", b""),
        ("POST", "/v1/recommendations", b'{"items":[]}'),
        ("POST", "/v1/events", b'{"events":[]}'),
    ],
)
async def test_what_may_be_asked_twice_outlives_a_process_that_ends(method, path, body):
    with ending_once() as (url, sent):
        assert await asked(url, method, path, body) == 204
    assert len(sent) == 2
    assert sent[1].endswith(body)


async def test_what_may_be_asked_once_alone_is_not_asked_again():
    with ending_once() as (url, sent), pytest.raises(Problem, match="cannot be reached"):
        await asked(url, "DELETE", "/v1/sessions/visitor-77")
    assert len(sent) == 1


async def test_nothing_is_read_of_a_reading_requests_body_before_somebody_takes_it():
    async def receive() -> Message:
        raise AssertionError("read for nobody")

    async def send(message: Message) -> None:
        raise AssertionError("answered nobody")

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/admin/",
        "query_string": b"",
        "headers": [(b"transfer-encoding", b"chunked")],
    }
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        app, client = forwarder("reco", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(Problem, match="cannot be reached"):
            await app(scope, receive, send)
        await client.aclose()
