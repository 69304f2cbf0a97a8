"""Problem details and route names for FastAPI applications, and for Starlette's."""

from collections.abc import Sequence
from typing import Any, cast

from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runtime import context, problems
from runtime.asgi import ASGIApp, Receive, Scope, Send
from runtime.problems import FieldError, Problem


def install(app: Starlette, *, component: str) -> None:
    """Make every error of `app` a problem document, and name its routes for metrics."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(Exception, _fault)
    app.add_middleware(cast("Any", _RouteNames), component=component)


class _RouteNames:
    def __init__(self, app: ASGIApp, *, component: str) -> None:
        self._app = app
        self._component = component

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            request = context.active()
            if scope["type"] == "http" and request is not None:
                request.component = self._component
                request.route = getattr(scope.get("route"), "path", None)


def answer(request: Request, problem: Problem) -> Response:
    """The problem as a Starlette response."""
    return Response(
        problems.encode(problem, instance=request.url.path),
        status_code=problem.status,
        media_type=problems.MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **problem.headers},
    )


async def _problem(request: Request, raised: Exception) -> Response:
    return answer(request, cast("Problem", raised))


async def _http_exception(request: Request, raised: Exception) -> Response:
    refused = cast("HTTPException", raised)
    return answer(request, problems.for_status(refused.status_code, headers=refused.headers))


async def _fault(request: Request, raised: Exception) -> Response:
    return answer(request, problems.unexpected())


async def _validation_error(request: Request, raised: Exception) -> Response:
    return answer(request, of_validation(cast("RequestValidationError", raised).errors()))


def of_validation(errors: Sequence[Any]) -> Problem:
    """What pydantic found, as a problem: malformed JSON apart from invalid fields."""
    for error in errors:
        if error["type"] == "json_invalid":
            where = error.get("ctx", {}).get("error", "")
            return Problem("malformed-json", f"The body could not be parsed as JSON: {where}.")
        if (error["type"], tuple(error["loc"])) == ("missing", ("body",)):
            return Problem("malformed-json", "The body is empty.")
    # A field that may be absent fails twice: for what is wrong with it, and for not being None.
    told = [error for error in errors if error["type"] != "none_required"] or errors
    found = [FieldError(_pointer(error["loc"]), error["msg"]) for error in told]
    fields = "1 field is" if len(found) == 1 else f"{len(found)} fields are"
    return Problem("invalid-fields", f"{fields} not valid; see errors.", errors=found)


def _pointer(location: Sequence[str | int]) -> str:
    where, *path = location
    if where == "body":
        return problems.pointer(path)
    if where == "query":
        return f"?{path[0]}" if path else "?"
    return f"{where}: {path[0]}" if path else str(where)
