"""Answers views that are async all the way, in the server's own task and without any thread.

Django's own handler enters a thread four times a request, for synchronous middleware, receivers
and closers, whether there is work for it or not. Here middleware that only computes is called as it
is. There are no sessions, logins or CSRF tokens: what needs those stays with Django's handler.
"""

import asyncio
from collections.abc import Iterable
from io import BytesIO
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.core import signals
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.exception import response_for_exception
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch, resolve, set_script_prefix

from runtime.asgi import ASGIApp, Receive, Scope, Send
from runtime.django import ProblemMiddleware


def without_threads(stock: ASGIApp, *, paths: Iterable[str]) -> ASGIApp:
    """`stock`, but for these paths, which are answered here.

    Raises ImproperlyConfigured for a view that would need a thread or a CSRF token.
    """
    here = Threadless(paths)

    async def sorted_out(scope: Scope, receive: Receive, send: Send) -> None:
        own = scope["type"] == "http" and _path_info(scope) in here.matches
        return await (here if own else stock)(scope, receive, send)

    return sorted_out


class Threadless(ASGIHandler):
    """Django's handler of requests, without what can block."""

    def __init__(self, paths: Iterable[str]) -> None:
        # Not Django's own: it would make the middleware that this class is there to avoid.
        self.matches = {path: _checked(resolve(path)) for path in paths}
        self._problems = ProblemMiddleware(self._viewed)
        self._security = SecurityMiddleware(self._viewed)
        self._frames = XFrameOptionsMiddleware(self._viewed)
        self._headers: dict[str, list[tuple[str, str]]] = {}

    async def __call__(  # type: ignore[override]  # messages of ours may be changed
        self, scope: Scope, receive: Receive, send: Any
    ) -> None:
        """Answer one request; a client that hangs up ends the work on its answer."""
        body = await _whole_body(receive)
        if body is None:
            return
        if prefix := get_script_prefix(scope):
            set_script_prefix(prefix)
        await _tell(signals.request_started, sender=type(self), scope=scope)
        task = cast("asyncio.Task[None]", asyncio.current_task())
        watch = asyncio.create_task(_end_on_disconnect(task, receive))
        try:
            await self._serve(scope, BytesIO(body), send)
        except asyncio.CancelledError:
            if not watch.done() or task.uncancel() > 0:
                raise
        finally:
            watch.cancel()
            await _tell(signals.request_finished, sender=type(self))

    async def _serve(self, scope: Scope, body: BytesIO, send: Any) -> None:
        request, refusal = self.create_request(scope, body)
        if request is None:
            return await self.send_response(cast("HttpResponseBase", refusal), send)
        response = await self._answer(request)
        try:
            return await self._send(response, request, send)
        finally:
            # As `response.close` does, which would tell the receivers once more, blocking.
            for close in (*response._resource_closers, request.close):  # type: ignore[attr-defined]
                close()
            response.closed = True

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        response: Any = self._security.process_request(request)
        if response is None:
            response = await cast("Any", self._problems(request))
        return cast("HttpResponseBase", response)

    async def _send(self, response: Any, request: HttpRequest, send: Any) -> None:
        own = list(response.items())
        named = {name.lower() for name, _ in own}
        added = [pair for pair in self._added(request) if pair[0] not in named]
        if response.streaming or response.cookies:
            for name, value in added:
                response[name] = value
            await self.send_response(response, send)
            return
        body = response.content
        if "content-length" not in named:
            added.append(("content-length", str(len(body))))
        headers = [
            (name.encode("ascii"), value.encode("latin-1")) for name, value in (*own, *added)
        ]
        start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def _added(self, request: HttpRequest) -> list[tuple[str, str]]:
        """What Django's middleware adds to an answer that says nothing of it."""
        scheme = request.scheme or ""
        if scheme not in self._headers:
            blank = HttpResponse(content_type="none")
            self._frames.process_response(request, blank)
            self._security.process_response(request, blank)
            del blank["Content-Type"]
            self._headers[scheme] = [(name.lower(), value) for name, value in blank.items()]
        return self._headers[scheme]

    async def _viewed(self, request: HttpRequest) -> HttpResponseBase:
        try:
            request.get_host()  # Raises for a host that is not served here.
            match = request.resolver_match = self.matches[request.path_info]
            return cast("HttpResponseBase", await match.func(request, *match.args, **match.kwargs))
        except Exception as raised:  # noqa: BLE001  # the edge, where views' errors become answers
            told = self._problems.process_exception(request, raised)
            if told is not None:
                return told
            return await sync_to_async(response_for_exception)(request, raised)


def _path_info(scope: Scope) -> str:
    return cast("str", scope["path"]).removeprefix(get_script_prefix(scope))


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


async def _end_on_disconnect(task: "asyncio.Task[None]", receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    task.cancel()


async def _tell(signal: Signal, *, sender: type[ASGIHandler], **told: Any) -> None:
    """Tell the receivers, but for Django's own synchronous ones.

    Those close what a thread has opened, connections and caches; no thread is entered here.
    """
    blocking, others = signal._live_receivers(sender)
    for receiver in blocking:
        if not receiver.__module__.startswith("django."):
            await sync_to_async(receiver)(signal=signal, sender=sender, **told)
    for receiver in others:
        await receiver(signal=signal, sender=sender, **told)
