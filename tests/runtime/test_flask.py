"""The shell of Flask applications, under plain WSGI."""

import pytest
from flask import Flask, abort, request

from runtime import context, flask, overload
from runtime.overload import Gate
from runtime.problems import Problem


@pytest.fixture
def client():
    app = Flask(__name__)
    flask.install(app, component="test", readiness=lambda: {"store": "away"})

    @app.get("/things/<thing_id>")
    def thing(thing_id: str) -> str:
        return context.current().request_id

    @app.post("/things")
    def things() -> bytes:
        return request.get_data()

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


def test_a_cache_keeps_answers_to_pages_and_to_others_apart(client, monkeypatch, fresh_settings):
    monkeypatch.setenv("MULTIRECO_CORS_ORIGINS", "https://shop.example")
    assert client.get("/things/1").headers["Vary"] == "Origin"


@pytest.fixture
def full(monkeypatch) -> Gate:
    """A process that takes no more pages."""
    gate = Gate()
    gate.lane("/things/1", b"").limit = 0
    monkeypatch.setattr(overload, "gate", gate)
    return gate


def test_a_process_that_is_full_says_when_to_come_back(client, full):
    refused = client.get("/things/1")
    assert refused.status_code == 503
    assert refused.json["code"] == "unavailable"
    assert refused.headers["Retry-After"] in {"1", "2", "3"}


def test_a_process_that_is_full_still_answers_probes(client, full):
    assert client.get("/livez").status_code == 200


def test_nothing_stays_in_flight_after_a_fault(client, full):
    full.lane("/things/1", b"").limit = 9
    client.get("/broken")
    assert full.lane("/things/1", b"").in_flight == 0
