"""The shell of Flask applications: problem details always, and the rest under plain WSGI.

Where the application is mounted under an ASGI shell, that one logs, measures and probes.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from time import perf_counter

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from runtime import context, cors, health, overload, problems, settings, shell, tracing
from runtime.body_guard import DEFAULT_LIMIT_BYTES
from runtime.problems import Problem

log = logging.getLogger("multireco.fault")
_TELLING_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


def install(app: Flask, *, component: str, readiness: Callable[[], Mapping[str, str]]) -> None:
    """Give `app` problem documents, probes, a request context, metrics and an access log.

    `readiness` answers as runtime.shell's does, without being async.
    """
    app.config["MAX_CONTENT_LENGTH"] = DEFAULT_LIMIT_BYTES
    app.before_request(lambda: _begin(component))
    app.after_request(_finish)
    app.teardown_request(_end)
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(Exception, _fault)
    app.add_url_rule("/livez", "livez", lambda: _probe(health.live()))
    app.add_url_rule("/readyz", "readyz", lambda: _probe(health.ready(readiness())))
    app.add_url_rule("/metrics", "metrics", lambda: _probe(health.measured()))


def _begin(component: str) -> Response | None:
    mounted = context.active()
    if mounted is None:
        g.request_started = perf_counter()
        g.request_context = context.received(
            request_id=request.headers.get("X-Request-ID", ""),
            traceparent=request.headers.get("traceparent", ""),
            component=component,
        )
        g.request_token = context.begin(g.request_context)
        if tracing.enabled() and request.path not in health.PATHS:
            _begin_span(g.request_context)
        if request.path not in health.PATHS and not _let_in():
            return answer(overload.refusal())
    current = context.current()
    current.component = component
    current.route = request.url_rule.rule if request.url_rule else None
    if "Content-Encoding" in request.headers:
        return answer(Problem("unsupported-media-type", "Compressed bodies are not taken."))
    return None


def _let_in() -> bool:
    lane = overload.gate.lane(request.path, request.headers.get("Priority", "").encode())
    waited = getattr(overload.thread, "waited", 0.0)
    if not overload.gate.enter(lane, waited=waited, now=perf_counter()):
        return False
    g.lane = lane
    return True


def _begin_span(received: context.RequestContext) -> None:
    g.request_span = ExitStack()
    g.request_span.enter_context(
        tracing.serving(
            received,
            method=request.method,
            traceparent=request.headers.get("traceparent", ""),
            tracestate=request.headers.get("tracestate", ""),
        )
    )


def _finish(response: Response) -> Response:
    if "request_context" in g and request.path not in health.PATHS:
        response.headers["X-Request-ID"] = g.request_context.request_id
        _allow_listed_origin(response)
        tracing.answered(response.status_code)
        seconds = perf_counter() - g.request_started
        shell.observe(g.request_context, request.method, response.status_code, seconds)
    return response


def _end(_: BaseException | None) -> None:
    if "lane" in g:
        g.pop("lane").leave(g.request_started, perf_counter())
    if "request_span" in g:
        g.pop("request_span").close()
    if "request_token" in g:
        context.end(g.pop("request_token"))


def _allow_listed_origin(response: Response) -> None:
    listed = settings.current().cors_origins
    if listed:  # also where this caller named none: a cache must not give its answer to a page
        response.vary.add("Origin")
    origin = request.headers.get("Origin", "")
    if origin in listed:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = ", ".join(cors.METHODS)
        response.headers["Access-Control-Allow-Headers"] = ", ".join(cors.REQUEST_HEADERS)
        response.headers["Access-Control-Expose-Headers"] = ", ".join(cors.ANSWER_HEADERS)


def _probe(told: health.Probe) -> Response:
    return Response(told.body, status=told.status, mimetype=told.media_type)


def answer(problem: Problem) -> Response:
    """The problem as a Flask response."""
    return Response(
        problems.encode(problem, instance=request.path),
        status=problem.status,
        content_type=problems.MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **problem.headers},
    )


def _http_exception(refused: HTTPException) -> AnyResponse:
    if refused.response is not None or refused.code is None or refused.code < 400:
        return refused.get_response()
    kept = {name: value for name, value in refused.get_headers() if name in _TELLING_HEADERS}
    return answer(problems.for_status(refused.code, headers=kept))


def _fault(_: Exception) -> Response:
    log.exception("a request met a fault")
    return answer(problems.unexpected())
