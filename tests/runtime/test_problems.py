"""Problem details, RFC 9457."""

import json

import pytest

from runtime import context, problems
from runtime.problems import KINDS, FieldError, Problem


def test_a_document_has_every_member_that_the_contract_promises():
    token = context.begin(context.RequestContext(request_id="abc-12345678"))
    problem = Problem("invalid-fields", "1 field.", errors=[FieldError("/items/0", "is missing")])
    told = json.loads(problems.encode(problem, instance="/v1/recommendations"))
    context.end(token)
    assert told == {
        "type": "/problems/invalid-fields",
        "title": "Some fields are not valid",
        "status": 422,
        "detail": "1 field.",
        "instance": "/v1/recommendations",
        "code": "invalid-fields",
        "request_id": "abc-12345678",
        "errors": [{"pointer": "/items/0", "detail": "is missing"}],
    }


def test_an_unknown_code_cannot_be_raised():
    with pytest.raises(KeyError):
        Problem("no-such-code", "")


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "bad-request"), (404, "not-found"), (418, "bad-request"), (502, "internal")],
)
def test_every_status_of_a_framework_has_a_problem(status, code):
    assert problems.for_status(status).code == code


def test_a_pointer_escapes_what_json_pointers_reserve():
    assert problems.pointer(["a/b", 0, "c~d"]) == "/a~1b/0/c~0d"


@pytest.mark.parametrize("kind", KINDS.values())
def test_every_kind_says_what_happened_and_what_to_do(kind):
    assert 400 <= kind.status <= 599
    assert kind.explanation.count(".") >= 2
