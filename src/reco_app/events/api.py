"""Events as they cross the wire: taken in, forgotten, and imported from files."""

from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from reco_app.events import feeds, importing, intake, parsing, service, writers
from reco_app.events.contracts import LONGEST_SESSION_ID
from reco_app.events.senders import Origin
from runtime import keys, limits, settings
from runtime.problems import FieldError, Problem

TEXT = ("application/json", "text/plain")  # sendBeacon sends text/plain without a preflight
RETRY = {"Retry-After": "2"}


@csrf_exempt
async def events(request: HttpRequest) -> HttpResponse:
    """POST /v1/events: 202 once the events are in the queue or in PostgreSQL for good."""
    _require_method(request, "POST")
    origin = _origin(request)
    if request.content_type not in TEXT:
        raise Problem("unsupported-media-type", f"Send events as {' or '.join(TEXT)}.")
    batch = parsing.read_batch(request.body)
    consented = batch.consent and request.headers.get("Sec-GPC") != "1"
    try:
        receipt = await intake.take(
            batch, consented=consented, origin=origin, now=datetime.now(UTC)
        )
    except writers.Unwritable as error:
        raise _unavailable(error) from error
    return _json(receipt, status=202)


@csrf_exempt
async def session(request: HttpRequest, session_id: str) -> HttpResponse:
    """DELETE /v1/sessions/{session_id}: 204, whether there was anything to forget or not."""
    _require_method(request, "DELETE")
    _origin(request)
    if len(session_id) > LONGEST_SESSION_ID:
        detail = f"A session id has at most {LONGEST_SESSION_ID} characters."
        raise Problem("invalid-fields", detail, errors=[FieldError("path: session_id", detail)])
    try:
        await writers.write(partial(service.forget, session_id, now=datetime.now(UTC)))
    except writers.Unwritable as error:
        raise _unavailable(error) from error
    return HttpResponse(status=204)


@csrf_exempt
async def imports(request: HttpRequest) -> HttpResponse:
    """POST /v1/imports/events: a whole file, answered when all of it is stored."""
    _require_method(request, "POST")
    keys.require(request.headers.get("Authorization"), "import")
    form = feeds.MEDIA_TYPES.get(request.content_type or "")
    if form is None:
        allowed = ", ".join(feeds.MEDIA_TYPES)
        raise Problem("unsupported-media-type", f"Send the file as one of {allowed}.")
    work = partial(importing.import_upload, request, form=form, now=datetime.now(UTC))
    try:
        return _json(await writers.write_in_turn(work), status=200)
    except feeds.Unreadable as error:
        raise Problem("invalid-fields", str(error)) from error
    except writers.Unwritable as error:
        raise _unavailable(error) from error


def _unavailable(error: writers.Unwritable) -> Problem:
    return Problem("unavailable", f"Nothing was stored for certain: {error}.", headers=RETRY)


def _require_method(request: HttpRequest, method: str) -> None:
    if request.method != method:
        allow = {"Allow": method}
        raise Problem("method-not-allowed", f"Only {method} is answered here.", headers=allow)


def _origin(request: HttpRequest) -> Origin:
    """A shop's backend brings a key; a browser comes from our own pages or a listed origin."""
    if authorization := request.headers.get("Authorization"):
        key = keys.require(authorization, "events")
        return Origin(f"key {key.id}", keyed=True)
    origin = request.headers.get("Origin")
    allowed = settings.current().cors_origins
    if origin and origin not in allowed and urlsplit(origin).netloc != request.get_host():
        raise Problem("forbidden", "The shop has not listed this origin, and no key was sent.")
    network = limits.network({"client": (request.META.get("REMOTE_ADDR", ""), 0)})
    return Origin(f"network {network or 'of this machine'}", keyed=False)


def _json(answer: msgspec.Struct, *, status: int) -> HttpResponse:
    body = msgspec.json.encode(answer)
    return HttpResponse(body, status=status, content_type="application/json")
