"""Problem details for Django: the API's paths answer problem documents, pages stay pages."""

import logging
from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import defaults

from runtime import context, problems
from runtime.problems import Problem

log = logging.getLogger("multireco.fault")
_API = ("/v1/", "/internal/", "/openapi/")
_REFUSALS: tuple[tuple[type[Exception], int], ...] = (
    (Http404, 404),
    (PermissionDenied, 403),
    (RequestDataTooBig, 413),
    (SuspiciousOperation, 400),
    (BadRequest, 400),
)
_View = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


def is_api(request: HttpRequest) -> bool:
    """Whether the caller is a program, which gets problem documents, rather than a person."""
    return request.path.startswith(_API)


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The problem as a Django response."""
    return HttpResponse(
        problems.encode(problem, instance=request.path),
        status=problem.status,
        content_type=problems.MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **problem.headers},
    )


class ProblemMiddleware:
    """Turns what API views raise, and bare error responses, into problem documents.

    Also notes each request's route template for metrics. Works in sync and async stacks.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _View) -> None:
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        response = self._get_response(request)
        if isinstance(response, HttpResponseBase):
            return finished(request, response)
        return self._finish_later(request, response)

    async def _finish_later(
        self, request: HttpRequest, response: Awaitable[HttpResponseBase]
    ) -> HttpResponseBase:
        return finished(request, await response)

    def process_exception(self, request: HttpRequest, raised: Exception) -> HttpResponse | None:
        """The answer to an exception of an API view; None leaves pages to Django."""
        if isinstance(raised, Problem):
            return answer(request, raised)
        if not is_api(request):
            return None
        for kind, status in _REFUSALS:
            if isinstance(raised, kind):
                return answer(request, problems.for_status(status))
        log.error("a request met a fault", exc_info=raised)
        return answer(request, problems.unexpected())


def finished(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """`response`, or the problem that an API's bare refusal stands for; notes the route."""
    active = context.active()
    if active is not None and request.resolver_match is not None:
        active.route = f"/{request.resolver_match.route}"
    if response.status_code < 400 or not is_api(request) or _is_problem(response):
        return response
    kept = {
        name: response[name]
        for name in ("Allow", "Retry-After", "WWW-Authenticate")
        if response.has_header(name)
    }
    return answer(request, problems.for_status(response.status_code, headers=kept))


def _is_problem(response: HttpResponseBase) -> bool:
    return str(response.get("Content-Type", "")).startswith(problems.MEDIA_TYPE)


def handler400(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """A request that Django refused before any view."""
    if is_api(request):
        return answer(request, problems.for_status(400))
    return defaults.bad_request(request, exception)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """A refusal."""
    if is_api(request):
        return answer(request, problems.for_status(403))
    return defaults.permission_denied(request, exception)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """No such page."""
    if is_api(request):
        return answer(request, problems.for_status(404))
    return defaults.page_not_found(request, exception)


def handler500(request: HttpRequest) -> HttpResponseBase:
    """A fault."""
    if is_api(request):
        return answer(request, problems.unexpected())
    return defaults.server_error(request)
