"""Refuses what cannot be read, before and while the framework parses a request."""

from typing import Any, NoReturn

import orjson
from flask import Request, request
from flask.json.provider import JSONProvider
from pydantic import ValidationError

from profile_app.contracts import ItemPath, NoQuery, PageQuery, SlugPath
from runtime import problems
from runtime.problems import FieldError, Problem

_MOST_ERRORS = 100  # of a body with thousands of wrong fields, these are enough to find the cause
_IN_QUERY = {model.__name__ for model in (NoQuery, PageQuery)}
_IN_PATH = {model.__name__ for model in (ItemPath, SlugPath)}


class Json(JSONProvider):
    """JSON as RFC 8259 has it: no NaN, and no nesting that exhausts the stack."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)


class JsonRequest(Request):
    """A request whose body, where one is read, is JSON."""

    def on_json_loading_failed(self, e: ValueError | None) -> NoReturn:
        if e is None:
            raise Problem("unsupported-media-type", "Send Content-Type: application/json.")
        raise Problem("malformed-json", f"The body could not be parsed as JSON: {e}.")


def refuse_what_cannot_be_read() -> None:
    """A hook before each request: every parameter once, and a JSON object where a body is due."""
    for name, values in request.args.lists():
        if len(values) > 1:
            raise _invalid([FieldError(f"?{name}", "Given more than once")])
    if request.method in ("POST", "PUT") and not isinstance(request.get_json(), dict):
        raise _invalid([FieldError("", "The body should be a JSON object")])


def refuse_invalid(error: ValidationError) -> NoReturn:
    """Turn what pydantic found into the problem that tells it."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    found = [
        FieldError(_pointer(error.title, detail["loc"]), detail["msg"])
        for detail in details[:_MOST_ERRORS]
    ]
    raise _invalid(found) from None


def _pointer(model: str, location: tuple[str | int, ...]) -> str:
    path = [part for part in location if part != "[key]"]  # pydantic's mark of a map's key
    if model in _IN_QUERY:
        return f"?{path[0]}"
    if model in _IN_PATH:
        return f"path: {path[0]}"
    return problems.pointer(path)


def _invalid(errors: list[FieldError]) -> Problem:
    fields = "1 field is" if len(errors) == 1 else f"{len(errors)} fields are"
    return Problem("invalid-fields", f"{fields} not valid; see errors.", errors=errors)
