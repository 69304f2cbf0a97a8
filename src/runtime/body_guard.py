"""Bodies are read here, bounded in size and time, before an application or a thread is taken."""

import asyncio
from collections.abc import Mapping

from runtime.asgi import ASGIApp, Message, Receive, Scope, Send, answer_problem, header
from runtime.problems import Problem

DEFAULT_LIMIT_BYTES = 64 * 1024
_WHOLE_BODY_SECONDS = 10.0
# What is left of a refused body is not read, so the connection cannot be used again.
_CLOSING = {"Connection": "close"}
# Where a guard further out has read the body already: its size in bytes.
_SIZE = "multireco.body_size"


class _Gone(Exception):
    """The client hung up before its body was complete."""


def guard(app: ASGIApp, *, body_limits: Mapping[str, int]) -> ASGIApp:
    """`app` behind the guard; `body_limits` is path prefix → bytes, and the longest wins.

    A limit of 0 hands the body through as it arrives: what reads it must bound it.
    """
    limits = sorted(body_limits.items(), key=lambda item: len(item[0]), reverse=True)

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            return await app(scope, receive, send)
        path: str = scope["path"]
        matching = (size for prefix, size in limits if path.startswith(prefix))
        limit = next(matching, DEFAULT_LIMIT_BYTES)
        try:
            receive = await _bounded(scope, receive, limit)
        except Problem as problem:
            return await answer_problem(send, scope, problem)
        except _Gone:
            return None
        return await app(scope, receive, send)

    return guarded


async def _bounded(scope: Scope, receive: Receive, limit: int) -> Receive:
    """What gives the application the body of `scope`, now that it is known to fit."""
    size = scope.get(_SIZE)
    if size is None:
        _refuse_by_headers(scope, limit)
    if limit == 0:
        return receive
    if size is None:
        whole = await _read(receive, limit)
        scope[_SIZE] = len(whole)
        return _once(whole, then=receive)
    if size > limit:
        raise _too_large(limit)
    return receive


def _has_body(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return bool(value != b"0")
        if name == b"transfer-encoding":
            return True
    return False


def _refuse_by_headers(scope: Scope, limit: int) -> None:
    if header(scope, b"content-encoding") not in (b"", b"identity"):
        detail = "Compressed bodies are not taken; send the body as it is."
        raise Problem("unsupported-media-type", detail, headers=_CLOSING)
    announced = header(scope, b"content-length")
    if not announced:
        return
    if not announced.isdigit():
        raise Problem("bad-request", "Content-Length is not a number.", headers=_CLOSING)
    if limit and int(announced) > limit:
        raise _too_large(limit)


async def _read(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_WHOLE_BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Gone
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > limit:
                    raise _too_large(limit)
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        detail = f"The body was not complete after {_WHOLE_BODY_SECONDS:g} seconds."
        raise Problem("body-too-slow", detail, headers=_CLOSING) from None
    return b"".join(chunks)


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
