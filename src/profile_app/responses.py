"""Answers on their way out: fresh each time, or kept for a moment and asked for by ETag."""

from hashlib import blake2b
from http import HTTPStatus

from flask import Response, request
from pydantic import BaseModel

# A change is seen everywhere within three seconds; an outage here is bridged for ten minutes.
CACHED = "public, max-age=2, stale-if-error=600"


def fresh(answer: BaseModel) -> Response:
    """An answer to be kept nowhere."""
    response = Response(answer.model_dump_json(), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def conditional(answer: BaseModel) -> Response:
    """An answer under its ETag, or 304 for a reader who has it already."""
    response = fresh(answer)
    tag = blake2b(response.get_data(), digest_size=12).hexdigest()
    if request.if_none_match.contains_weak(tag):
        response = Response(status=HTTPStatus.NOT_MODIFIED)
        del response.headers["Content-Type"]
    response.set_etag(tag)
    response.headers["Cache-Control"] = CACHED
    return response
