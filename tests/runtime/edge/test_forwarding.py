"""The reverse proxy alone, where a whole router would hide who is to blame."""

import socket

from runtime.asgi import Message
from runtime.edge.forwarding import forwarder


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
