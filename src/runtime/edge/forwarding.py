"""A streaming reverse proxy for components that run as processes of their own."""

from collections.abc import AsyncIterator, Iterable
from functools import partial

import httpx2

from runtime import context, tls, tracing
from runtime.asgi import ASGIApp, Receive, Scope, Send
from runtime.problems import Problem

Headers = Iterable[tuple[bytes, bytes]]
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_SET_HERE = frozenset(
    {b"x-forwarded-for", b"x-forwarded-proto", b"x-request-id", b"traceparent", b"tracestate"}
)
# The router's own server and shell say these; twice would be wrong.
_SAID_ABOVE = frozenset({b"date", b"server", b"x-request-id"})
_PATIENT = ("/v1/imports/", "/admin/")
_PATIENT_SECONDS = 600.0
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# Whose body, which is small, may be sent twice: they only read, or count once however often.
_COUNTED_ONCE = frozenset({"/v1/recommendations", "/v1/recommendations/why", "/v1/events"})
_ANSWER_SECONDS = 10.0
_CONNECT_SECONDS = 0.5
_RETRY_AFTER = {"Retry-After": "2"}
_LIMITS = httpx2.Limits(max_connections=256, max_keepalive_connections=64, keepalive_expiry=4.0)


class _HungUp(httpx2.ReadError):
    """The caller left before its body was complete."""


def forwarder(name: str, url: str) -> tuple[ASGIApp, httpx2.AsyncClient]:
    """An application that asks the component at `url`, and the client to close at the end."""
    transport = httpx2.AsyncHTTPTransport(verify=tls.for_asking(), limits=_LIMITS, trust_env=False)
    client = httpx2.AsyncClient(base_url=url, transport=transport, trust_env=False)
    return partial(_forward, name, client), client


async def _forward(
    name: str, client: httpx2.AsyncClient, scope: Scope, receive: Receive, send: Send
) -> None:
    if scope["type"] != "http":
        return
    active = context.active()
    if active is not None:
        active.route = f"forwarded to {name}"
    tls.for_asking()  # which takes a new certificate for connections from now on
    try:
        answer = await _answer(client, scope, receive)
    except _HungUp:
        return  # nobody is left to be answered, and the component is not to blame
    except httpx2.ReadTimeout:
        raise Problem("deadline-exceeded", f"{name} did not answer in time.") from None
    except httpx2.TransportError:
        away = f"{name} cannot be reached."
        raise Problem("unavailable", away, headers=_RETRY_AFTER) from None
    try:
        await _relay(answer, send)
    finally:
        await answer.aclose()


async def _answer(client: httpx2.AsyncClient, scope: Scope, receive: Receive) -> httpx2.Response:
    """The component's; asked again on another connection if the first was lost meanwhile, as when
    a process ends: where nothing had been said yet, or may be said twice.
    """
    content: AsyncIterator[bytes] | bytes | None = None
    may_be_repeated = scope["method"] in _READING
    if any(key in (b"content-length", b"transfer-encoding") for key, _ in scope["headers"]):
        content = _body(receive)
        may_be_repeated = scope["path"] in _COUNTED_ONCE  # whose bodies are bounded
        if may_be_repeated:
            content = b"".join([part async for part in content])
    try:
        return await client.send(_request(client, scope, content), stream=True)
    except httpx2.ConnectError:
        pass
    except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
        if not may_be_repeated:
            raise
    return await client.send(_request(client, scope, content), stream=True)


def _request(
    client: httpx2.AsyncClient, scope: Scope, content: AsyncIterator[bytes] | bytes | None
) -> httpx2.Request:
    target: bytes = scope.get("raw_path") or scope["path"].encode()
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    patient = scope["path"].startswith(_PATIENT)
    timeout = httpx2.Timeout(
        _PATIENT_SECONDS if patient else _ANSWER_SECONDS, connect=_CONNECT_SECONDS
    )
    return httpx2.Request(
        scope["method"],
        client.base_url.copy_with(raw_path=target),
        headers=[*_end_to_end(scope["headers"], without=_SET_HERE), *_forwarded(scope)],
        content=content,
        extensions={"timeout": timeout.as_dict()},
    )


def _forwarded(scope: Scope) -> list[tuple[bytes, bytes]]:
    told: dict[str, str] = {"X-Forwarded-Proto": scope.get("scheme", "http")}
    if scope.get("client"):
        told["X-Forwarded-For"] = scope["client"][0]
    tracing.propagate_into(told)
    return [(name.encode(), value.encode()) for name, value in told.items()]


def _end_to_end(headers: Headers, *, without: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    kept = [(name.lower(), value) for name, value in headers]
    named = {
        token.strip().lower()
        for name, value in kept
        if name == b"connection"
        for token in value.split(b",")
    }
    dropped = _HOP_BY_HOP | without | named
    return [(name, value) for name, value in kept if name not in dropped]


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _HungUp("the caller hung up")
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


async def _relay(answer: httpx2.Response, send: Send) -> None:
    headers = [
        (name, value)
        for name, value in _end_to_end(answer.headers.raw, without=_SAID_ABOVE)
        # Which origins may read the answer is said once, by the router.
        if not name.startswith(b"access-control-")
    ]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    async for chunk in answer.aiter_raw():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
