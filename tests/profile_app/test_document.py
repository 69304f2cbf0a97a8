"""What the component answers is what its documents say; what they allow never breaks it."""

from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from pydantic import BaseModel
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

from profile_app import contracts, internal_contracts
from profile_app.main import make_app
from runtime import keys
from tests.profile_app.conftest import Put
from tests.profile_app.examples import preferences, profile

BOUNDED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def writing(path: str, model: type[BaseModel]) -> dict[str, Any]:
    """The part of a document that tells how `model` is put to `path`."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    COMPONENTS.update(schema.pop("$defs", {}))
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    statuses = ("200", "400", "409", "415", "422")
    responses = {status: {"description": status} for status in statuses}
    return {f"/internal/profile/v1/{path}": {"put": {"requestBody": body, "responses": responses}}}


COMPONENTS: dict[str, Any] = {}
INTERNAL = {
    "openapi": "3.1.0",
    "info": {"title": "internal", "version": "1"},
    "paths": {
        **writing("profiles", internal_contracts.ProfilesGiven),
        **writing("preferences", internal_contracts.AllPreferencesGiven),
    },
    "components": {"schemas": COMPONENTS},
}
app = make_app()
public = schemathesis.openapi.from_wsgi("/openapi/profile.json", app)
internal = schemathesis.openapi.from_dict(INTERNAL)
internal.app = app


@pytest.fixture
def filled(put: Put) -> None:
    put("profiles", {"profiles": [profile("a"), profile("b"), profile("0")]})
    put("preferences", {"preferences": [preferences("0"), preferences("a")]})


@public.parametrize()
@BOUNDED
def test_every_public_answer_is_as_documented(case: Case, filled: None) -> None:
    case.call_and_validate()


@internal.parametrize()
@BOUNDED
def test_no_internal_body_breaks_the_component(case: Case, filled: None) -> None:
    key = {"Authorization": keys.internal_authorization()}

    # No schema can say that a slug or item is in a call once, or that each figure is counted.
    case.call_and_validate(headers=key, excluded_checks=[positive_data_acceptance])


def test_the_document_is_of_openapi_3_1_and_tells_only_public_paths(client: FlaskClient) -> None:
    told = client.get("/openapi/profile.json").get_json()

    assert told["openapi"].startswith("3.1.")
    assert sorted(told["paths"]) == [
        "/v1/preferences/{item_id}",
        "/v1/profiles",
        "/v1/profiles/{slug}",
        "/v1/profiles:match",
    ]


def test_every_operation_documents_its_problems_as_problem_details(client: FlaskClient) -> None:
    told = client.get("/openapi/profile.json").get_json()

    media_types = {
        tuple(response.get("content", {}))
        for path in told["paths"].values()
        for operation in path.values()
        for status, response in operation["responses"].items()
        if int(status) >= 400
    }
    assert media_types == {("application/problem+json",)}


@pytest.mark.parametrize(
    "model",
    [contracts.Profile, contracts.Matches, contracts.Preferences, contracts.MatchGiven],
)
def test_every_example_in_the_document_is_valid(model: type[BaseModel]) -> None:
    shown = model.model_json_schema()["examples"]

    assert [
        model.model_validate(example).model_dump(mode="json", exclude_unset=True)
        for example in shown
    ] == shown
