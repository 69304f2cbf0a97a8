"""Bodies are read here, bounded in size and time, before an application or a thread is taken."""

import asyncio
from collections.abc import Mapping

from runtime import context
from runtime.asgi import (
    ASKED,
    ASGIApp,
    AtOnce,
    Head,
    Message,
    Receive,
    Scope,
    Send,
    answer_problem,
    headers,
)
from runtime.eager import Waiting, begin
from runtime.problems import Problem

DEFAULT_LIMIT_BYTES = 64 * 1024
_WHOLE_BODY_SECONDS = 10.0
# What is left of a refused body is not read, so the connection cannot be used again.
_CLOSING = {"Connection": "close"}


class _Gone(Exception):
    """The client hung up before its body was complete."""


def guard(
    app: ASGIApp, *, body_limits: Mapping[str, int], at_once: AtOnce | None = None
) -> ASGIApp:
    """`app` behind the guard, its Problems answered; `body_limits` is path prefix → bytes, and
    the longest wins.

    A limit of 0 hands the body through as it arrives: what reads it must bound it. `at_once` is
    asked before `app`.
    """
    limits = sorted(body_limits.items(), key=lambda item: len(item[0]), reverse=True)
    prefixes = tuple(body_limits)

    def limit_of(path: str) -> int:
        if not path.startswith(prefixes):
            return DEFAULT_LIMIT_BYTES
        return next(size for prefix, size in limits if path.startswith(prefix))

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        try:
            told = headers(scope)
            if told.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in told:
                limit = limit_of(scope["path"])
                _refuse_by_headers(told, limit)
                if limit:
                    whole = begin(_read(receive, limit))
                    body = await _in_time(whole) if isinstance(whole, Waiting) else whole
                    asks = at_once is not None and ASKED not in scope
                    if asks and at_once and (known := at_once(scope, body)):
                        context.current().route = scope["path"]
                        return await _send(send, *known)
                    receive = _once(body, then=receive)
            return await app(scope, receive, send)
        except Problem as problem:
            return await answer_problem(send, scope, problem)
        except _Gone:
            return None

    return guarded


async def _send(send: Send, head: Head, body: bytes) -> None:
    told = [*head.headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": told})
    await send({"type": "http.response.body", "body": body})


def _refuse_by_headers(told: Mapping[bytes, bytes], limit: int) -> None:
    if told.get(b"content-encoding", b"identity") not in (b"", b"identity"):
        detail = "Compressed bodies are not taken; send the body as it is."
        raise Problem("unsupported-media-type", detail, headers=_CLOSING)
    announced = told.get(b"content-length")
    if not announced:
        return
    if not announced.isdigit():
        raise Problem("bad-request", "Content-Length is not a number.", headers=_CLOSING)
    if limit and int(announced) > limit:
        raise _too_large(limit)


async def _read(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _in_time(body: Waiting[bytes]) -> bytes:
    try:
        async with asyncio.timeout(_WHOLE_BODY_SECONDS):
            return await body
    except TimeoutError:
        detail = f"The body was not complete after {_WHOLE_BODY_SECONDS:g} seconds."
        raise Problem("body-too-slow", detail, headers=_CLOSING) from None


def _once(body: bytes, *, then: Receive) -> Receive:
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            return await then()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _too_large(limit: int) -> Problem:
    detail = f"The body is larger than the {limit} bytes that this call takes."
    return Problem("body-too-large", detail, headers=_CLOSING)
