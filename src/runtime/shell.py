"""The outermost layer of every ASGI process: ids, logs, metrics, probes, guards and the last
word on errors.

Where a component is mounted inside the router, the router's shell does all of that and the
component's own adds its name and its body limits.
"""

import logging
from collections.abc import Awaitable, Mapping
from functools import partial
from time import perf_counter
from typing import Any, cast

from runtime import context, health, logs, metrics, overload, problems, stdout, tracing
from runtime.asgi import (
    ASKED,
    ASGIApp,
    AtOnce,
    Head,
    Message,
    Receive,
    Scope,
    Send,
    answer,
    answer_problem,
    head_of,
    header,
    headers,
)
from runtime.body_guard import DEFAULT_LIMIT_BYTES, guard
from runtime.cors import allow_listed_origins

log = logging.getLogger("multireco.fault")
_CONTEXT = "multireco.context"


def shell(
    app: ASGIApp,
    *,
    component: str,
    readiness: health.Readiness,
    body_limits: Mapping[str, int] | None = None,
    at_once: AtOnce | None = None,
) -> ASGIApp:
    """`app` as a process of the product.

    `body_limits`: path prefix → bytes (64 KiB where none fits, 0: streamed, the app bounds it).
    `readiness`: name of each thing leaned on → "ok", "unready" where no useful answer can be
    given without it, or any other words for degraded. `at_once` is asked before `app`.
    """
    guarded = guard(app, body_limits=body_limits or {}, at_once=at_once)
    outermost = allow_listed_origins(guarded)
    refused = allow_listed_origins(_refused)

    async def shelled(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await _lived(app, scope, receive, send)
        above = scope.get(_CONTEXT)
        if above is not None:
            above.component = component
            return await guarded(scope, receive, send)
        if scope["path"] in health.PATHS:
            return await _probed(scope["path"], readiness, send)
        request = scope[_CONTEXT] = _received(scope, component)
        token = context.begin(request)
        began = perf_counter()
        lane = overload.admitted(scope, began)
        try:
            if lane is None or not tracing.enabled():
                inner = refused if lane is None else outermost
                return await _serve(inner, request, scope, receive, send)
            with tracing.serving(request, **_traced(scope)):
                return await _serve(outermost, request, scope, receive, send)
        finally:
            context.end(token)
            if lane is not None:
                lane.leave(began, perf_counter())

    if at_once is not None:
        lists_origins = outermost is not guarded
        cast("Any", shelled).in_one_go = partial(_in_one_go, at_once, component, lists_origins)
    return shelled


async def _refused(scope: Scope, receive: Receive, send: Send) -> None:
    context.current().route = overload.gate.lane(scope["path"], b"").route
    await answer_problem(send, scope, overload.refusal())


def _in_one_go(
    at_once: AtOnce, component: str, lists_origins: bool, scope: Scope, body: bytes
) -> tuple[int, bytes] | None:
    """What `shelled` would send: status, and headers and body; None where that has more to do."""
    told = headers(scope)
    # What is sent to HEAD has no body.
    unusual = b"content-encoding" in told or scope["method"] == "HEAD"
    elsewhere = lists_origins and b"origin" in told
    if unusual or elsewhere or len(body) > DEFAULT_LIMIT_BYTES or scope["path"] in health.PATHS:
        return None
    began = perf_counter()
    # Nothing waits here, so nothing is in flight: only who came too late can be refused.
    late = began - scope.get(overload.CAME_AT, began) > overload.TARGET_SECONDS
    if late or overload.BACKGROUND in told.get(overload.PRIORITY, b""):
        lane = overload.admitted(scope, began)
        if lane is None:
            return _refused_in_one_go(_received(scope, component), scope, began)
        lane.leave(began, began)
    known = at_once(scope, body)
    if known is None:
        scope[ASKED] = True
        return None
    request = _received(scope, component)
    request.route = scope["path"]
    if tracing.enabled():
        tracing.served(request, **_traced(scope), status=200, seconds=perf_counter() - began)
    return 200, _told(request, scope, began, 200, *known)


def _refused_in_one_go(
    request: context.RequestContext, scope: Scope, began: float
) -> tuple[int, bytes]:
    """What `_refused` sends."""
    request.route = overload.gate.lane(scope["path"], b"").route
    refusal = overload.refusal()
    more = ((name.lower().encode(), text.encode()) for name, text in refusal.headers.items())
    kind = (b"content-type", problems.MEDIA_TYPE.encode())
    token = context.begin(request)
    body = problems.encode(refusal, instance=scope["path"])
    context.end(token)
    head = head_of((kind, (b"cache-control", b"no-store"), *more))
    return refusal.status, _told(request, scope, began, refusal.status, head, body)


def _told(
    request: context.RequestContext,
    scope: Scope,
    began: float,
    status: int,
    head: Head,
    body: bytes,
) -> bytes:
    """The answer's headers and body; it is measured and logged."""
    observe(request, scope["method"], status, perf_counter() - began)
    rest = b"content-length: %d\r\nx-request-id: %b\r\n\r\n"
    return b"".join((head.wire, rest % (len(body), request.request_id.encode()), body))


async def _lived(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    async def last_words(message: Message) -> None:
        if message["type"] == "lifespan.shutdown.complete":
            stdout.flush()  # a server that was told to stop is gone once it hears this
        await send(message)

    await app(scope, receive, last_words)


async def _probed(path: str, readiness: health.Readiness, send: Send) -> None:
    told = await health.probe(path, readiness)
    await answer(send, status=told.status, body=told.body, media_type=told.media_type)


def _received(scope: Scope, component: str) -> context.RequestContext:
    told = headers(scope)
    return context.received(
        request_id=told.get(b"x-request-id", b"").decode("latin-1"),
        traceparent=told.get(b"traceparent", b"").decode("latin-1"),
        component=component,
    )


def _traced(scope: Scope) -> dict[str, str]:
    """What a span of the request is made of."""
    return {
        "method": scope["method"],
        "traceparent": header(scope, b"traceparent").decode("latin-1"),
        "tracestate": header(scope, b"tracestate").decode("latin-1"),
    }


async def _serve(
    app: ASGIApp, request: context.RequestContext, scope: Scope, receive: Receive, send: Send
) -> None:
    started = perf_counter()
    status = 0
    id_header = (b"x-request-id", request.request_id.encode())

    def observed(message: Message) -> Awaitable[None]:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            message["headers"] = [*message.get("headers", ()), id_header]
        return send(message)

    try:
        await app(scope, receive, observed)
    except Exception:  # noqa: BLE001  # the process's edge: nothing above could tell the caller
        log.exception("a request met a fault")
        if not status:
            await answer_problem(observed, scope, problems.unexpected())
    finally:
        tracing.answered(status)
        # No answer at all means that the client hung up; 499 is what NGINX calls that.
        observe(request, scope["method"], status or 499, perf_counter() - started)


def observe(request: context.RequestContext, method: str, status: int, seconds: float) -> None:
    """Measure and log one answer, by its route template and never by its path."""
    method, route = context.known_method(method), request.route or "unmatched"
    metrics.durations.observe(seconds, request.component, method, route, str(status))
    logs.access(request, method=method, route=route, status=status, seconds=seconds)
