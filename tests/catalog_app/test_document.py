import os
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from catalog_app import main
from tests.catalog_app.conftest import INTERNAL, UPSERT, caught_up_with, product

application = main.make_application(
    os.environ["MULTIRECO_MONGODB_URL"].replace("/?", "/catalog_schemathesis?")
)
schema = schemathesis.openapi.from_dict(application.openapi())


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(application) as client:
        client.portal.call(caught_up_with, application)
        sent = product("a", categories=["Home"], attributes={"litres": 1.5}, sale_price="1.00")
        client.put(UPSERT, json={"products": [sent]}, headers=INTERNAL)
        client.portal.call(caught_up_with, application)
        yield client


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_sent_the_answer_is_one_that_is_documented(
    case: schemathesis.Case, client: TestClient
) -> None:
    sent = case.as_transport_kwargs(base_url="http://testserver")
    sent["headers"] = dict(sent.get("headers") or {}) | INTERNAL
    sent.pop("cookies", None)
    if isinstance(sent.get("data"), bytes):
        sent["content"] = sent.pop("data")
    answer = client.request(**sent)

    case.validate_response(
        schemathesis.Response.from_any(answer),
        checks=[not_a_server_error, status_code_conformance, response_schema_conformance],
    )


def test_every_route_says_how_it_refuses() -> None:
    for path in schema.raw_schema["paths"].values():
        for operation in path.values():
            assert {"200", "422", "429", "503"} <= operation["responses"].keys()


def test_internal_routes_are_marked_as_such() -> None:
    for path, operations in schema.raw_schema["paths"].items():
        for operation in operations.values():
            assert ("Internal" in operation["tags"]) == path.startswith("/internal/")
