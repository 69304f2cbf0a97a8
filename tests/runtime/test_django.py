"""Problem documents for the API's paths of a Django project; pages stay pages."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseNotAllowed
from django.test import AsyncRequestFactory, RequestFactory
from rest_framework.exceptions import NotAuthenticated, ParseError, Throttled, ValidationError

from runtime import django, rest_framework
from runtime.problems import Problem


def _answered(response: HttpResponse, path: str = "/v1/things") -> HttpResponse:
    return django.ProblemMiddleware(lambda request: response)(RequestFactory().get(path))


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (Problem("version-conflict", "Somebody was faster."), "version-conflict"),
        (Http404(), "not-found"),
        (PermissionDenied(), "forbidden"),
        (RuntimeError("secret of the house"), "internal"),
    ],
)
def test_what_an_api_view_raises_becomes_a_problem(raised, code):
    middleware = django.ProblemMiddleware(lambda request: HttpResponse())
    answered = middleware.process_exception(RequestFactory().get("/v1/things"), raised)
    assert answered["Content-Type"] == "application/problem+json"
    assert f'"code":"{code}"' in answered.text
    assert "secret" not in answered.text


def test_what_a_page_raises_is_left_to_django():
    middleware = django.ProblemMiddleware(lambda request: HttpResponse())
    assert middleware.process_exception(RequestFactory().get("/shop/"), Http404()) is None


def test_a_bare_refusal_of_the_api_becomes_a_problem_and_keeps_its_headers():
    answered = _answered(HttpResponseNotAllowed(["GET"]))
    assert answered["Allow"] == "GET"
    assert '"code":"method-not-allowed"' in answered.text


def test_a_bare_refusal_of_a_page_stays_as_it_is():
    assert _answered(HttpResponse("no", status=404), "/shop/").content == b"no"


async def test_the_middleware_works_in_an_async_stack():
    async def view(request):
        return HttpResponse(status=404)

    answered = await django.ProblemMiddleware(view)(AsyncRequestFactory().get("/v1/things"))
    assert '"code":"not-found"' in answered.text


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (ParseError("line 1"), 400, "malformed-json"),
        (NotAuthenticated(), 401, "unauthenticated"),
        (Throttled(wait=3), 429, "rate-limited"),
    ],
)
def test_what_rest_framework_raises_becomes_a_problem(raised, status, code):
    about = {"request": RequestFactory().get("/v1/things")}
    answered = rest_framework.exception_handler(raised, about)
    assert (answered.status_code, f'"code":"{code}"' in answered.text) == (status, True)


def test_fields_refused_by_a_serializer_are_named_by_pointer():
    about = {"request": RequestFactory().post("/v1/things")}
    raised = ValidationError({"items": [{}, {"price": ["A number is needed."]}]})
    answered = rest_framework.exception_handler(raised, about)
    assert '{"pointer":"/items/1/price","detail":"A number is needed."}' in answered.text


def test_faults_are_left_to_the_middleware():
    about = {"request": RequestFactory().get("/v1/things")}
    assert rest_framework.exception_handler(RuntimeError(), about) is None
