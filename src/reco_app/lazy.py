"""Django's request and answer, of which most is made only once somebody asks for it."""

from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse

from runtime.asgi import Scope, headers


class LazyRequest(ASGIRequest):
    """A request with its method, path and body; all else is as Django's own makes it.

    Making META from the headers, and all that Django reads from it, costs half as much as an
    answer.
    """

    scope: Scope

    def __init__(self, scope: Scope, *, path_info: str, body: bytes = b"") -> None:
        self.scope = scope
        self.method = scope["method"].upper()
        self.path = scope["path"]
        self.path_info = path_info
        self.resolver_match = None
        self._body = body
        if self.sole_header(b"content-type") == b"application/json":
            self.content_type = "application/json"
            self.content_params = {}

    def sole_header(self, name: bytes) -> bytes | None:
        """The value of a header; None where any is repeated, for Django has its way of joining."""
        told = headers(self.scope)
        return told.get(name) if len(told) == len(self.scope["headers"]) else None

    def __getattr__(self, name: str) -> Any:
        if "META" in self.__dict__ or "scope" not in self.__dict__:
            raise AttributeError(name)
        whole = ASGIRequest(self.scope, BytesIO(self._body))
        self.__dict__.update({**whole.__dict__, **self.__dict__})
        return getattr(self, name)

    def close(self) -> None:
        """Close what the view may have opened."""
        if "META" in self.__dict__:
            super().close()


class LazyAnswer(HttpResponse):
    """JSON that nobody is to keep; headers, cookies and all else as Django's own makes them."""

    HEADERS = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))

    def __init__(self, body: bytes) -> None:
        self._container = [body]

    @property
    def untouched(self) -> bool:
        """Whether it still is its body and HEADERS alone."""
        return "headers" not in self.__dict__

    def __getattr__(self, name: str) -> Any:
        if not self.untouched or "_container" not in self.__dict__:
            raise AttributeError(name)
        whole = HttpResponse(headers=dict(self.HEADERS))
        self.__dict__.update({**whole.__dict__, **self.__dict__})
        return getattr(self, name)
