"""The recommendation API: plain async views, so that nothing waits for a thread."""

from datetime import UTC, datetime

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from reco_app.lazy import LazyAnswer
from reco_app.serving import answers, explain, parsing, query, service
from reco_app.serving.contracts import Request, WhyRequest
from reco_app.serving.openapi import document
from runtime import keys
from runtime.problems import Problem

CACHED = "public, max-age=2, stale-if-error=600"
JSON = "application/json"


@csrf_exempt
async def recommendations(request: HttpRequest) -> HttpResponse:
    """GET is the cacheable form, POST takes everything."""
    if request.method == "POST":
        return await _posted(request)
    if request.method in ("GET", "HEAD"):
        return await _got(request)
    raise _not_allowed(request, "GET, HEAD, POST")


def at_once(body: bytes) -> bytes | None:
    """The answer to what is posted to recommendations; None where the view has to find it."""
    kept = answers.worded(body)
    if kept is None:
        asked = parsing.decoded(body, shape=Request)
        if asked is not None:
            kept = service.at_once(asked, now=datetime.now(UTC), wording=body)
    return None if kept is None else kept.body


@csrf_exempt
async def why(request: HttpRequest) -> HttpResponse:
    """How an answer came about: for a key with the scope staff, or staff logged in.

    It changes nothing and its JSON cannot be read from another site, so it needs no CSRF token.
    """
    if request.method != "POST":
        raise _not_allowed(request, "POST")
    await _require_staff(request)
    asked = parsing.decode(_json_body(request), shape=WhyRequest)
    return LazyAnswer(msgspec.json.encode(await explain.why(asked)))


async def openapi(request: HttpRequest) -> HttpResponse:
    """The contract of everything that reco answers, for the router to merge."""
    if request.method not in ("GET", "HEAD"):
        raise _not_allowed(request, "GET, HEAD")
    return HttpResponse(document(), content_type=JSON, headers={"Cache-Control": "max-age=60"})


async def _posted(request: HttpRequest) -> HttpResponse:
    body = _json_body(request)
    kept = answers.worded(body)
    if kept is None:
        asked = parsing.decode(body, shape=Request)
        kept = await service.answered(asked, now=datetime.now(UTC), wording=body)
    return LazyAnswer(kept.body)


async def _got(request: HttpRequest) -> HttpResponse:
    wording = request.META["QUERY_STRING"]
    kept = answers.worded(wording)
    if kept is None:
        asked = query.request_of(wording)
        with query.naming_parameters():
            kept = await service.answered(asked, now=datetime.now(UTC), wording=wording)
    if kept.degraded:
        return LazyAnswer(kept.body)
    headers = {"ETag": kept.etag, "Cache-Control": CACHED}
    if _has(request, kept.etag):
        unchanged = HttpResponse(status=304, headers=headers)
        del unchanged["Content-Type"]
        return unchanged
    return HttpResponse(kept.body, content_type=JSON, headers=headers)


def _has(request: HttpRequest, etag: str) -> bool:
    """Whether the client named this answer in If-None-Match."""
    named = request.headers.get("If-None-Match", "")
    opaque = etag.removeprefix("W/")
    entries = [entry.strip().removeprefix("W/") for entry in named.split(",")]
    return named.strip() == "*" or opaque in entries


def _json_body(request: HttpRequest) -> bytes:
    if request.content_type != JSON:
        detail = f"The body must be {JSON}, not {request.content_type or 'of no type'}."
        raise Problem("unsupported-media-type", detail)
    return request.body


def _not_allowed(request: HttpRequest, allowed: str) -> Problem:
    detail = f"{request.method} is not allowed here; {allowed} are."
    return Problem("method-not-allowed", detail, headers={"Allow": allowed})


async def _require_staff(request: HttpRequest) -> None:
    if "Authorization" not in request.headers:
        user = await request.auser()
        if user.is_active and user.is_staff:
            return
    keys.require(request.headers.get("Authorization"), "staff")
