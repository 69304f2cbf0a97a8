"""Problem details (RFC 9457): every error that leaves the product, in one shape."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from runtime import context

MEDIA_TYPE = "application/problem+json"


class Kind(NamedTuple):
    """One type of problem; its page is /problems/{code}."""

    code: str
    status: int
    title: str
    explanation: str


class FieldError(NamedTuple):
    """What is wrong with one field: a JSON pointer into the body, or ?name for a parameter."""

    pointer: str
    detail: str


_ALL = (
    Kind(
        "bad-request",
        400,
        "The request cannot be understood",
        "The request line, a header or the framing of the body breaks the rules of HTTP, or the "
        "host named is not served here. Compare the request with the examples under /docs.",
    ),
    Kind(
        "malformed-json",
        400,
        "The body is not JSON",
        "The body could not be parsed as JSON in UTF-8. The detail names the place where parsing "
        "stopped. Send one JSON document, with Content-Type: application/json.",
    ),
    Kind(
        "unauthenticated",
        401,
        "A key is needed",
        "This call needs an API key, and the request brought none, or one that was not issued "
        "here, was changed on its way, or has been revoked. Send Authorization: Bearer and the "
        "key as it was shown when it was made in the admin.",
    ),
    Kind(
        "forbidden",
        403,
        "This is not allowed",
        "The key is genuine, and does not carry the scope that this call needs: make a key with "
        "that scope in the admin. Or a page sent events without a key, and its origin is not among "
        "those that the shop has listed.",
    ),
    Kind(
        "not-found",
        404,
        "There is nothing here",
        "No resource has this address: the path is misspelt, or the product, profile or session "
        "that it names is unknown or has been retired. Compare the path with those under /docs, "
        "and the id with your catalogue.",
    ),
    Kind(
        "method-not-allowed",
        405,
        "The method is not allowed here",
        "The address exists and does not answer to this HTTP method. The Allow header names "
        "those it answers to.",
    ),
    Kind(
        "body-too-slow",
        408,
        "The body arrived too slowly",
        "The whole body has to arrive within a few seconds. Send the request again over a "
        "better connection, or in smaller parts.",
    ),
    Kind(
        "version-conflict",
        409,
        "Somebody else changed it first",
        "The version named in the request is no longer the current one. Read the resource "
        "again, apply the change to what is there now, and send that.",
    ),
    Kind(
        "precondition-failed",
        412,
        "The precondition does not hold",
        "The If-Match header names a version that is no longer the current one. Read the "
        "resource again and repeat the change.",
    ),
    Kind(
        "body-too-large",
        413,
        "The body is too large",
        "Bodies are limited to 64 KiB, unless the call's documentation says otherwise. Send "
        "fewer entries at a time; for feeds and event logs use the import calls.",
    ),
    Kind(
        "unsupported-media-type",
        415,
        "This media type is not taken",
        "The Content-Type is not among those that the call takes, or the body is compressed: "
        "compressed bodies are not taken. Send plain JSON with Content-Type: application/json.",
    ),
    Kind(
        "invalid-fields",
        422,
        "Some fields are not valid",
        "The body is JSON, and some of its fields, or some query parameters, are missing, of a "
        "wrong type, out of bounds or unknown. `errors` names each by a JSON pointer into the "
        "body, or by ?name for a parameter.",
    ),
    Kind(
        "rate-limited",
        429,
        "Too many requests",
        "This network has used up what it may ask in the current window. Wait for as "
        "many seconds as Retry-After says; RateLimit and RateLimit-Policy tell the limits.",
    ),
    Kind(
        "internal",
        500,
        "Something broke on our side",
        "The request met a fault in the service, which has been logged under the request_id. "
        "Repeating the request may help; if not, tell the operators the request_id.",
    ),
    Kind(
        "unavailable",
        503,
        "Not available right now",
        "What this call needs is away or overloaded for the moment. Repeat the request after "
        "as many seconds as Retry-After says.",
    ),
    Kind(
        "deadline-exceeded",
        504,
        "No answer in time",
        "The answer was not ready before the deadline. Repeat the request, or ask for less "
        "at once.",
    ),
)
KINDS: Mapping[str, Kind] = {kind.code: kind for kind in _ALL}
_BY_STATUS = {kind.status: kind.code for kind in reversed(_ALL)}


class Problem(Exception):
    """An answer that is an error; `code` is a key of KINDS, `detail` tells this occurrence."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.kind = KINDS[code]
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    @property
    def code(self) -> str:
        """The key of the kind of problem, as in KINDS."""
        return self.kind.code

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return self.kind.status


def for_status(
    status: int, detail: str = "", *, headers: Mapping[str, str] | None = None
) -> Problem:
    """The problem that tells an HTTP error status raised by a framework."""
    code = _BY_STATUS.get(status) or ("bad-request" if status < 500 else "internal")
    return Problem(code, detail or KINDS[code].title + ".", headers=headers)


def unexpected() -> Problem:
    """The problem that stands for a fault of ours, telling nothing about it."""
    return Problem("internal", "The request met a fault in the service; it has been logged.")


def pointer(path: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901) from the keys and indexes that lead to a field."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def document(problem: Problem, *, instance: str) -> dict[str, Any]:
    """The problem's wire shape; `instance` is the path of the request it answers."""
    told: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": problem.kind.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": instance,
        "code": problem.code,
        "request_id": context.current().request_id,
    }
    if problem.errors:
        told["errors"] = [error._asdict() for error in problem.errors]
    return told


def encode(problem: Problem, *, instance: str) -> bytes:
    """The problem's document as JSON."""
    return orjson.dumps(document(problem, instance=instance))
