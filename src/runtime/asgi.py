"""Types of the ASGI interface, and answers made of one message pair."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

from runtime import problems
from runtime.problems import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
RawHeaders = tuple[tuple[bytes, bytes], ...]


class Head(NamedTuple):
    """The headers of an answer, but for its length and request id."""

    headers: RawHeaders
    wire: bytes
    """The same as lines."""


def head_of(told: RawHeaders) -> Head:
    """Headers, and how they are sent."""
    return Head(told, b"".join(b"%b: %b\r\n" % pair for pair in told))


AtOnce = Callable[[Scope, bytes], tuple[Head, bytes] | None]
"""Head and body of the success that a request with this whole body is answered with, if that
needs no waiting; None leaves it to the application. The path of such a request is its route. What
would call a dozen coroutines is one call.
"""
InOneGo = Callable[[Scope, bytes], tuple[int, bytes] | None]
"""The same for the server: the status, and all of the answer but its first line and the server's
own headers."""
ASKED = "multireco.asked"
"""In the scope of a request that had no answer at once: nobody need ask again."""
_HEADERS = "multireco.headers"


def headers(scope: Scope) -> Mapping[bytes, bytes]:
    """The first value of each header by its name in lower case; made once a request."""
    known: dict[bytes, bytes] | None = scope.get(_HEADERS)
    if known is None:
        known = scope[_HEADERS] = dict(reversed(scope["headers"]))
    return known


def header(scope: Scope, name: bytes) -> bytes:
    """The first value of a header (`name` in lower case), or nothing."""
    return headers(scope).get(name, b"")


async def answer(
    send: Send,
    *,
    status: int,
    body: bytes,
    media_type: str,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send one whole answer."""
    raw = [(b"content-type", media_type.encode()), (b"content-length", b"%d" % len(body))]
    raw += [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def answer_problem(send: Send, scope: Scope, problem: Problem) -> None:
    """Send a problem document about the request of `scope`."""
    await answer(
        send,
        status=problem.status,
        body=problems.encode(problem, instance=scope["path"]),
        media_type=problems.MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **problem.headers},
    )
