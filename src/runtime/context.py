"""What is known about the request being answered; follows it into threads and tasks."""

import re
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from functools import partial
from random import getrandbits

# Lines of the log have ids without quoting.
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")


def _drawn(bits: int) -> str:
    return getrandbits(bits).to_bytes(bits // 8, "big").hex()  # half the time of a format


@dataclass(slots=True)
class RequestContext:
    """Mutable: the router makes it, the app below fills in its route template."""

    request_id: str = field(default_factory=partial(_drawn, 64))
    trace_id: str = field(default_factory=partial(_drawn, 128))
    route: str | None = None
    component: str = ""


_OUTSIDE = RequestContext(request_id="", trace_id="")
_current: ContextVar[RequestContext | None] = ContextVar("multireco_request", default=None)


def known_method(method: str) -> str:
    """As metrics, logs and traces tell it: they hold no word of a caller's own."""
    return method if method in _METHODS else "other"


def current() -> RequestContext:
    """The request being answered, or an empty one outside any request."""
    return _current.get() or _OUTSIDE


def active() -> RequestContext | None:
    """The request being answered, or None outside any request."""
    return _current.get()


def begin(request: RequestContext) -> Token[RequestContext | None]:
    """Make `request` the current one until `end` is given the token."""
    return _current.set(request)


def end(token: Token[RequestContext | None]) -> None:
    """Restore what was current before `begin`."""
    _current.reset(token)


def received(*, request_id: str, traceparent: str, component: str) -> RequestContext:
    """The context of an incoming request; ids that do not look sane are replaced."""
    trace = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    sane = bool(request_id) and _SANE_REQUEST_ID.fullmatch(request_id) is not None
    if trace:
        trace_id = trace[1]
    elif sane and _TRACE_ID.fullmatch(request_id):
        trace_id = request_id  # the gateway's, which knows no other
    else:
        trace_id = _drawn(128)
    own_id = request_id if sane else _drawn(64)
    return RequestContext(own_id, trace_id, None, component)
