"""Answers as bytes: JSON, and for reads a strong ETag that a reader can come back with."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

# A published change is to be seen everywhere within three seconds, relay and index included.
CACHE_CONTROL = "public, max-age=1, stale-if-error=600"


def written(answer: Any) -> Response:
    """An answer that nobody may keep."""
    return Response(
        encoded(answer), media_type="application/json", headers={"Cache-Control": "no-store"}
    )


def conditional(
    request: Request, answer: Any, *, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer, or 304 if it is the one that the reader has."""
    body = encoded(answer)
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    told = {"ETag": tag, "Cache-Control": CACHE_CONTROL, **(headers or {})}
    if _held(request.headers.getlist("if-none-match"), tag):
        return Response(status_code=304, headers=told)
    return Response(body, media_type="application/json", headers=told)


def _held(sent: list[str], tag: str) -> bool:
    """Whether an If-None-Match names the tag (weak comparison, RFC 9110 section 13.1.2)."""
    named = {each.strip().removeprefix("W/") for value in sent for each in value.split(",")}
    return tag in named or "*" in named


def encoded(answer: Any) -> bytes:
    return orjson.dumps(answer, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z)
