"""Answers views that are async all the way, in the server's own task and without any thread.

Django's own handler enters a thread four times a request, for synchronous middleware, receivers
and closers, whether there is work for it or not. Here middleware that only computes is called as it
is. There are no sessions, logins or CSRF tokens: what needs those stays with Django's handler.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, cast
from weakref import ReferenceType

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.core import signals
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.exception import response_for_exception
from django.dispatch import Signal
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch, resolve, set_script_prefix

from reco_app.lazy import LazyAnswer, LazyRequest
from runtime.asgi import ASGIApp, Head, RawHeaders, Receive, Scope, Send, head_of, headers
from runtime.django import ProblemMiddleware, finished
from runtime.eager import Waiting, begin

_Headers = tuple[tuple[str, str], ...]
_MOST_HOSTS = 256


def without_threads(stock: ASGIApp, here: "Threadless") -> ASGIApp:
    """`stock`, but for the paths that are answered here."""

    def sorted_out(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        own = scope["type"] == "http" and here.path_info(scope) in here.matches
        return (here if own else stock)(scope, receive, send)

    return sorted_out


class Threadless(ASGIHandler):
    """Django's handler of requests for these paths, without what can block.

    `at_once`: path → what answers a POST of JSON with JSON, or None where the view has to.
    Raises ImproperlyConfigured for a view that would need a thread or a CSRF token.
    """

    def __init__(
        self,
        paths: Iterable[str],
        *,
        at_once: Mapping[str, Callable[[bytes], bytes | None]] = MappingProxyType({}),
    ) -> None:
        # Not Django's own: it would make the middleware that this class is there to avoid.
        self.matches = {path: _checked(resolve(path)) for path in paths}
        self._script_name = settings.FORCE_SCRIPT_NAME
        view = cast("Any", self._viewed)
        self._problems = ProblemMiddleware(view)
        self._security = SecurityMiddleware(view)
        self._frames = XFrameOptionsMiddleware(view)
        self._hosts: set[bytes] = set()
        self._headers: dict[str, _Headers] = {}
        self._heads: dict[str, Head] = {}
        self._at_once = at_once

    def script_prefix(self, scope: Scope) -> str:
        """The part of the path that whoever mounted us there has taken."""
        return self._script_name or scope.get("root_path") or ""

    def path_info(self, scope: Scope) -> str:
        """The path below that part."""
        path: str = scope["path"]
        return path.removeprefix(self.script_prefix(scope))

    def at_once(self, scope: Scope, body: bytes) -> tuple[Head, bytes] | None:
        """What the whole way would answer, at once; None where that has more to do."""
        view = self._at_once.get(scope["path"])
        if view is None or not self._is_usual(scope):
            return None
        answer = view(body)
        if answer is None:
            return None
        scheme = scope.get("scheme", "http")
        return self._heads.get(scheme) or self._head(scheme, scope), answer

    def _head(self, scheme: str, scope: Scope) -> Head:
        head = head_of(_encoded(LazyAnswer.HEADERS, self._added(scope))[0])
        return self._heads.setdefault(scheme, head)

    def _is_usual(self, scope: Scope) -> bool:
        """Whether a request holds nothing that Django or a receiver would have to look at."""
        told = headers(scope)
        return (
            scope["method"] == "POST"
            and told.get(b"content-type") == b"application/json"
            and told.get(b"host") in self._hosts
            and len(told) == len(scope["headers"])
            and not scope["query_string"]
            and not (self._script_name or scope.get("root_path"))
            and not self._security.redirect
            and not _heard(signals.request_started, signals.request_finished)
        )

    async def __call__(  # type: ignore[override]  # messages of ours may be changed
        self, scope: Scope, receive: Receive, send: Any
    ) -> None:
        """Answer one request; a client that hangs up ends the work on its answer."""
        body = await _whole_body(receive)
        if body is None:
            return
        if prefix := self.script_prefix(scope):
            set_script_prefix(prefix)
        if _heard(signals.request_started):
            await _tell(signals.request_started, sender=type(self), scope=scope)
        try:
            request = LazyRequest(scope, path_info=self.path_info(scope), body=body)
            answering = begin(self._serve(request, send))
            if isinstance(answering, Waiting):
                await _while_connected(answering, receive)
        finally:
            if _heard(signals.request_finished):
                await _tell(signals.request_finished, sender=type(self))

    async def _serve(self, request: LazyRequest, send: Send) -> None:
        response: Any = self._security.redirect and self._security.process_request(request)
        if not response:
            response = finished(request, await self._viewed(request))
        try:
            if isinstance(response, LazyAnswer) and response.untouched:
                await self._send_whole(response, LazyAnswer.HEADERS, request, send)
            elif response.streaming or response.cookies:
                for name, value in self._added(request.scope):
                    response.headers.setdefault(name, value)
                await self.send_response(response, cast("Any", send))
            else:
                await self._send_whole(response, tuple(response.items()), request, send)
        finally:
            request.close()
            _close(response)

    async def _send_whole(
        self, response: HttpResponse, own: _Headers, request: LazyRequest, send: Send
    ) -> None:
        head, has_length = _encoded(own, self._added(request.scope))
        body = response.content
        unsaid = not has_length and response.status_code != HTTPStatus.NOT_MODIFIED
        length = ((b"content-length", b"%d" % len(body)),) if unsaid else ()
        start = {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": [*head, *length],
        }
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def _added(self, scope: Scope) -> _Headers:
        """What Django's middleware adds to an answer that says nothing of it."""
        scheme = scope.get("scheme", "http")
        if scheme not in self._headers:
            request, blank = LazyRequest(scope, path_info="/"), HttpResponse(content_type="none")
            self._frames.process_response(request, blank)
            self._security.process_response(request, blank)
            del blank["Content-Type"]
            self._headers[scheme] = tuple(blank.items())
        return self._headers[scheme]

    async def _viewed(self, request: LazyRequest) -> HttpResponseBase:
        try:
            self._check_host(request)
            match = request.resolver_match = self.matches[request.path_info]
            return cast("HttpResponseBase", await match.func(request, *match.args, **match.kwargs))
        except Exception as raised:  # noqa: BLE001  # the edge, where views' errors become answers
            told = self._problems.process_exception(request, raised)
            if told is not None:
                return told
            return await sync_to_async(response_for_exception)(request, raised)

    def _check_host(self, request: LazyRequest) -> None:
        host = request.sole_header(b"host")
        if host is None or host not in self._hosts:
            request.get_host()  # Raises for a host that is not served here.
            if host is not None and len(self._hosts) < _MOST_HOSTS:
                self._hosts.add(host)


@lru_cache(maxsize=256)
def _encoded(own: _Headers, added: _Headers) -> tuple[RawHeaders, bool]:
    """All headers of an answer, its own first; and whether its length is among them."""
    named = {name.lower() for name, _ in own}
    told = (*own, *(pair for pair in added if pair[0].lower() not in named))
    raw = tuple((name.lower().encode("ascii"), value.encode("latin-1")) for name, value in told)
    return raw, "content-length" in named


def _close(response: Any) -> None:
    """As its own `close` does, which would tell the receivers once more, blocking."""
    if not isinstance(response, LazyAnswer) or not response.untouched:
        for close in response._resource_closers:
            close()
    response.closed = True


def _checked(match: ResolverMatch) -> ResolverMatch:
    view = match.func
    if not iscoroutinefunction(view) or not getattr(view, "csrf_exempt", False):
        raise ImproperlyConfigured(f"The view of /{match.route} needs Django's own handler.")
    return match


async def _whole_body(receive: Receive) -> bytes | None:
    """The body, which the shell has bounded; None if the client hung up before its end."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _while_connected(answering: Waiting[None], receive: Receive) -> None:
    task = cast("asyncio.Task[None]", asyncio.current_task())
    watch = asyncio.create_task(_end_on_disconnect(task, receive))
    try:
        await answering
    except asyncio.CancelledError:
        if not watch.done() or task.uncancel() > 0:
            raise
    finally:
        watch.cancel()


async def _end_on_disconnect(task: "asyncio.Task[None]", receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    task.cancel()


def _heard(*told: Signal) -> bool:
    """Whether others than Django itself hear signals; looked into when their receivers change."""
    for signal in told:
        known = _known.get(signal)
        if known is None or known[0] != signal.receivers:
            known = _known[signal] = list(signal.receivers), any(map(_is_heard, signal.receivers))
        if known[1]:
            return True
    return False


_known: dict[Signal, tuple[list[Any], bool]] = {}


def _is_heard(entry: Any) -> bool:
    _, receiver, _ = entry
    live = receiver() if isinstance(receiver, ReferenceType) else receiver
    return live is not None and not _is_djangos_own(live)


def _is_djangos_own(receiver: Any) -> bool:
    """Its own receivers close what a thread has opened, connections and caches."""
    return not iscoroutinefunction(receiver) and receiver.__module__.startswith("django.")


async def _tell(signal: Signal, *, sender: type[ASGIHandler], **told: Any) -> None:
    """Tell the receivers, but for Django's own synchronous ones: no thread is entered here."""
    blocking, others = signal._live_receivers(sender)
    for receiver in blocking:
        if not _is_djangos_own(receiver):
            await sync_to_async(receiver)(signal=signal, sender=sender, **told)
    for receiver in others:
        await receiver(signal=signal, sender=sender, **told)
