"""The outermost layer: ids, errors, probes and metrics."""

import json
import logging
from collections.abc import Mapping
from time import perf_counter

import httpx2
import pytest

from runtime import context, logs, overload, stdout
from runtime.asgi import Receive, Scope, Send, answer, head_of
from runtime.problems import Problem
from runtime.shell import shell


async def _ready() -> Mapping[str, str]:
    return {"store": "ok"}


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    context.current().route = "/things/{id}"
    if scope["path"] == "/broken":
        raise RuntimeError("secret of the house")
    await answer(
        send, status=200, body=context.current().trace_id.encode(), media_type="text/plain"
    )


def _client(app=_app, **more) -> httpx2.AsyncClient:
    shelled = shell(app, component="test", readiness=more.pop("readiness", _ready), **more)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(shelled), base_url="http://test")


async def test_a_sane_request_id_is_kept():
    answered = await _client().get("/things/1", headers={"X-Request-ID": "abc-12345678"})
    assert answered.headers["X-Request-ID"] == "abc-12345678"


async def test_an_odd_request_id_is_replaced():
    answered = await _client().get("/things/1", headers={"X-Request-ID": "a b<script>"})
    assert answered.headers["X-Request-ID"] != "a b<script>"


async def test_the_trace_of_the_caller_is_joined():
    parent = f"00-{'ab' * 16}-{'cd' * 8}-01"
    answered = await _client().get("/things/1", headers={"traceparent": parent})
    assert answered.text == "ab" * 16


async def test_a_fault_becomes_a_problem_that_tells_nothing_of_it():
    answered = await _client().get("/broken")
    assert answered.status_code == 500
    assert answered.headers["content-type"] == "application/problem+json"
    assert answered.json()["code"] == "internal"
    assert answered.json()["request_id"] == answered.headers["X-Request-ID"]
    assert "secret" not in answered.text


async def test_nothing_of_a_request_is_left_behind_after_it():
    await _client().get("/things/1")
    assert context.active() is None


async def test_liveness_asks_nothing():
    async def failing() -> Mapping[str, str]:
        raise AssertionError("liveness asked for readiness")

    assert (await _client(readiness=failing).get("/livez")).status_code == 200


async def test_a_degraded_process_is_ready_and_says_what_is_missing():
    async def degraded() -> Mapping[str, str]:
        return {"store": "ok", "cache": "away"}

    answered = await _client(readiness=degraded).get("/readyz")
    assert answered.status_code == 200
    assert answered.json() == {"status": "degraded", "checks": {"store": "ok", "cache": "away"}}


async def test_a_process_without_what_it_cannot_do_without_is_not_ready():
    async def unready() -> Mapping[str, str]:
        return {"release": "unready"}

    assert (await _client(readiness=unready).get("/readyz")).status_code == 503


async def test_metrics_carry_the_route_template_and_never_the_path():
    client = _client()
    await client.get("/things/85123A")
    told = (await client.get("/metrics")).text
    labels = 'component="test",method="GET",route="/things/{id}",status="200"'
    assert f"multireco_http_request_duration_seconds_count{{{labels}}}" in told
    assert "85123A" not in told


async def test_an_invented_method_makes_no_series_of_its_own():
    client = _client()
    await client.request("BREW", "/things/1")
    told = (await client.get("/metrics")).text
    assert 'method="other"' in told
    assert "BREW" not in told


async def test_a_component_inside_another_shell_shares_its_context():
    inner = shell(_app, component="inner", readiness=_ready)
    client = _client(inner)
    answered = await client.get("/things/1", headers={"X-Request-ID": "abc-12345678"})
    assert answered.headers.get_list("X-Request-ID") == ["abc-12345678"]
    assert 'component="inner",method="GET"' in (await client.get("/metrics")).text


async def test_an_answer_at_once_is_told_of_as_any_other():
    client = _client(at_once=lambda scope, body: (head_of(()), body))
    answered = await client.post("/loud", content=b"1", headers={"X-Request-ID": "abc-12345678"})
    assert (answered.text, answered.headers["X-Request-ID"]) == ("1", "abc-12345678")
    assert 'method="POST",route="/loud",status="200"' in (await client.get("/metrics")).text


async def test_only_listed_origins_may_read_answers(monkeypatch, fresh_settings):
    monkeypatch.setenv("MULTIRECO_CORS_ORIGINS", "https://shop.example, https://other.example")
    client = _client()
    listed = await client.get("/things/1", headers={"Origin": "https://shop.example"})
    foreign = await client.get("/things/1", headers={"Origin": "https://evil.example"})
    assert listed.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "Access-Control-Allow-Origin" not in foreign.headers


async def test_each_answer_is_one_json_line_without_address_or_path(capfdbinary):
    root = logging.getLogger()
    kept, root.handlers = root.handlers, []
    try:
        logs.configure("test", "INFO")
        stdout.flush()
        capfdbinary.readouterr()  # what earlier tests left to be written
        await _client().get("/things/85123A?q=secret", headers={"X-Request-ID": "abc-12345678"})
        stdout.flush()
        lines = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    finally:
        root.handlers = kept
        root.setLevel(logging.WARNING)
    line = next(line for line in lines if line["logger"] == "multireco.access")
    assert line["route"] == "/things/{id}"
    assert line["request_id"] == "abc-12345678"
    assert line["status"] == 200
    assert "85123A" not in str(line)
    assert "127.0.0.1" not in str(line)


async def test_a_problem_that_reaches_the_shell_is_answered_as_such():
    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        raise Problem("not-found", "No such thing.")

    answered = await _client(refusing).get("/things/1")
    assert answered.status_code == 404
    assert answered.json()["detail"] == "No such thing."


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_probes_answer_without_a_trace_in_the_metrics(path):
    client = _client()
    await client.get(path)
    assert f'route="{path}"' not in (await client.get("/metrics")).text


ASKED = {"type": "http", "method": "POST", "path": "/loud"}


def _quick(**more):
    def loud(scope: Scope, body: bytes):
        return (head_of(((b"x-loud", b"yes"),)), body.upper()) if body else None

    return shell(_app, component="test", readiness=_ready, at_once=loud, **more).in_one_go


def _posted(*headers):
    return {**ASKED, "headers": [(b"x-request-id", b"abc-12345678"), *headers]}


def test_what_is_found_in_one_go_has_the_headers_of_any_other():
    told = _quick()(_posted(), b"abc")
    assert told == (
        200,
        b"x-loud: yes\r\ncontent-length: 3\r\nx-request-id: abc-12345678\r\n\r\nABC",
    )


async def test_what_is_found_in_one_go_is_measured_as_any_other():
    _quick()({**_posted(), "path": "/lane"}, b"abc")
    told = (await _client().get("/metrics")).text
    assert 'component="test",method="POST",route="/lane",status="200"' in told


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ((b"content-encoding", b"gzip"), b"abc"),
        ((b"x-any", b"thing"), b"x" * (64 * 1024 + 1)),
        ((b"x-any", b"thing"), b""),
    ],
)
def test_what_is_unusual_is_not_answered_in_one_go(header, body):
    assert _quick()(_posted(header), body) is None


def test_pages_from_elsewhere_are_not_answered_in_one_go(monkeypatch, fresh_settings):
    monkeypatch.setenv("MULTIRECO_CORS_ORIGINS", "https://shop.example")
    quick = _quick()
    assert quick(_posted((b"origin", b"https://shop.example")), b"abc") is None
    assert quick(_posted(), b"abc") is not None


def test_what_has_waited_too_long_in_a_standing_queue_is_refused_in_one_go(monkeypatch):
    monkeypatch.setattr(overload.gate.queue, "stands", lambda now: True)
    status, told = _quick()({**_posted(), overload.CAME_AT: perf_counter() - 1}, b"abc")
    head, _, body = told.partition(b"\r\n\r\n")
    assert status == 503
    assert head.startswith(b"content-type: application/problem+json\r\n")
    assert b"\r\nretry-after: " in head
    assert json.loads(body)["code"] == "unavailable"
    assert json.loads(body)["request_id"] == "abc-12345678"


def test_the_background_is_refused_in_one_go_whatever_else_its_priority_says(monkeypatch):
    monkeypatch.setattr(overload.gate.queue, "stands", lambda now: True)
    status, _ = _quick()(_posted((b"priority", b"u=7, i")), b"abc")
    assert status == 503


def test_what_is_asked_by_head_is_not_answered_in_one_go(monkeypatch):
    monkeypatch.setattr(overload.gate.queue, "stands", lambda now: True)
    asked = {**_posted(), "method": "HEAD", overload.CAME_AT: perf_counter() - 1}
    assert _quick()(asked, b"") is None


def test_a_full_lane_refuses_nobody_who_need_not_wait(monkeypatch):
    monkeypatch.setattr(overload.gate, "enter", lambda *args, **named: False)
    assert _quick()(_posted((b"priority", b"u=1, i")), b"abc") is not None


async def test_what_had_no_answer_in_one_go_is_not_looked_for_again():
    asked = []
    app = shell(
        _app, component="test", readiness=_ready, at_once=lambda scope, body: asked.append(body)
    )
    scope = {**_posted(), "query_string": b"", "headers": [(b"content-length", b"1")]}
    app.in_one_go(scope, b"1")

    async def receive():
        return {"type": "http.request", "body": b"1", "more_body": False}

    async def send(message):
        pass

    await app(scope, receive, send)
    assert asked == [b"1"]


def test_probes_are_never_refused_in_one_go(monkeypatch):
    monkeypatch.setattr(overload.gate.queue, "stands", lambda now: True)
    probe = {**_posted(), "path": "/livez", overload.CAME_AT: perf_counter() - 1}
    assert _quick()(probe, b"") is None
