"""The shell of Flask applications, under plain WSGI."""

import pytest
from flask import Flask, abort
from pydantic import BaseModel, ConfigDict, ValidationError

from runtime import context, flask
from runtime.problems import Problem


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ids: list[int]


@pytest.fixture
def client():
    app = Flask(__name__)
    flask.install(app, component="test", readiness=lambda: {"store": "away"})

    @app.get("/things/<thing_id>")
    def thing(thing_id: str) -> str:
        return context.current().request_id

    @app.post("/things")
    def things() -> str:
        from flask import request  # noqa: PLC0415  # the fixture's own name would hide it

        return str(_Asked.model_validate(request.get_json(silent=True)).ids)

    @app.get("/missing")
    def missing() -> str:
        raise Problem("not-found", "No such thing.")

    @app.get("/gone")
    def gone() -> str:
        abort(404)

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("secret of the house")

    return app.test_client()


def test_the_request_id_is_known_inside_and_told_outside(client):
    answered = client.get("/things/1", headers={"X-Request-ID": "abc-12345678"})
    assert answered.text == answered.headers["X-Request-ID"] == "abc-12345678"
    assert context.active() is None


def test_problems_and_refusals_and_faults_are_problem_documents(client):
    codes = {path: client.get(path).json["code"] for path in ("/missing", "/gone", "/broken")}
    assert codes == {"/missing": "not-found", "/gone": "not-found", "/broken": "internal"}
    assert "secret" not in client.get("/broken").text


def test_a_method_not_allowed_names_those_that_are(client):
    answered = client.delete("/things")
    assert answered.json["code"] == "method-not-allowed"
    assert "POST" in answered.headers["Allow"]


def test_wrong_fields_are_named_by_pointer(client):
    answered = client.post("/things", json={"ids": [1, "x"], "more": 1})
    assert answered.status_code == 422
    assert [error["pointer"] for error in answered.json["errors"]] == ["/ids/1", "/more"]


def test_what_is_not_json_is_told_apart(client):
    malformed = client.post("/things", data="{", content_type="application/json")
    plain = client.post("/things", data="{}", content_type="text/plain")
    assert (malformed.status_code, malformed.json["code"]) == (400, "malformed-json")
    assert (plain.status_code, plain.json["code"]) == (415, "unsupported-media-type")


def test_large_and_compressed_bodies_are_refused(client):
    large = client.post("/things", data=b"x" * 65_537, content_type="application/json")
    packed = client.post("/things", json={}, headers={"Content-Encoding": "gzip"})
    assert large.json["code"] == "body-too-large"
    assert packed.json["code"] == "unsupported-media-type"


def test_probes_answer(client):
    assert client.get("/livez").json == {"status": "alive"}
    assert client.get("/readyz").json == {"status": "degraded", "checks": {"store": "away"}}


def test_metrics_carry_the_route_template(client):
    client.get("/things/85123A")
    told = client.get("/metrics").text
    assert 'component="test",method="GET",route="/things/<thing_id>",status="200"' in told
    assert "85123A" not in told


def test_listed_origins_may_read_answers(client, monkeypatch, fresh_settings):
    monkeypatch.setenv("MULTIRECO_CORS_ORIGINS", "https://shop.example")
    listed = client.get("/things/1", headers={"Origin": "https://shop.example"})
    foreign = client.get("/things/1", headers={"Origin": "https://evil.example"})
    assert listed.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "Access-Control-Allow-Origin" not in foreign.headers


def test_the_validation_answer_names_parameters_of_a_query():
    app = Flask(__name__)
    with app.test_request_context("/things?ids=x"):
        try:
            _Asked.model_validate({"ids": "x"})
        except ValidationError as error:
            answered = flask.answer_validation(error)
    assert answered.json["errors"][0]["pointer"] == "?ids"
