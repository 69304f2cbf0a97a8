"""Problem details for Django REST framework: its EXCEPTION_HANDLER setting."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from rest_framework.exceptions import APIException, ParseError, ValidationError

from runtime import problems
from runtime.django import answer
from runtime.problems import FieldError, Problem


def exception_handler(raised: Exception, about: Mapping[str, Any]) -> HttpResponse | None:
    """The answer to what a view raised; None leaves it to runtime.django's middleware."""
    problem = _problem(raised)
    return None if problem is None else answer(about["request"], problem)


def _problem(raised: Exception) -> Problem | None:
    if isinstance(raised, Problem):
        return raised
    if isinstance(raised, ParseError):
        return Problem("malformed-json", str(raised.detail))
    if isinstance(raised, ValidationError):
        found = list(_field_errors(raised.detail, ()))
        return Problem("invalid-fields", "Some fields are not valid; see errors.", errors=found)
    if isinstance(raised, APIException):
        wait = getattr(raised, "wait", None)
        headers = {"Retry-After": str(int(wait) + 1)} if wait else None
        return problems.for_status(raised.status_code, str(raised.detail), headers=headers)
    return None


def _field_errors(detail: Any, path: tuple[str | int, ...]) -> Iterator[FieldError]:
    if isinstance(detail, Mapping):
        for name, below in detail.items():
            yield from _field_errors(below, path if name == "non_field_errors" else (*path, name))
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        for index, below in enumerate(detail):
            deeper = isinstance(below, Mapping)
            yield from _field_errors(below, (*path, index) if deeper else path)
    else:
        yield FieldError(problems.pointer(path), str(detail))
