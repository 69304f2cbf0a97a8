"""POST /v1/batch: side by side, under one deadline, as if each had been asked alone."""

from collections.abc import AsyncIterator
from time import perf_counter

import httpx2
import pytest

from runtime.edge.lifespans import running
from runtime.edge.router import router
from runtime.edge.settings import Settings
from tests.runtime.edge import parts


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    app = router(Settings(requests_per_minute=20), entries=parts.ENTRIES)
    transport = httpx2.ASGITransport(app, client=("198.51.100.7", 5))
    async with running(app), httpx2.AsyncClient(transport=transport, base_url="http://it") as made:
        yield made


def _ask(*parts: dict[str, object]) -> dict[str, object]:
    return {"requests": list(parts)}


async def test_each_part_has_its_own_answer_in_the_order_asked(client):
    asked = _ask(
        {"id": "a", "method": "POST", "path": "/v1/products:batch", "body": {"ids": [1]}},
        {"id": "b", "path": "/v1/nothing"},
        {"id": "c", "method": "DELETE", "path": "/v1/sessions/abc"},
    )
    answered = await client.post("/v1/batch", json=asked)
    first, second, third = answered.json()["responses"]
    assert first == {"id": "a", "status": 200, "body": {"ids": [1]}}
    assert (second["status"], second["body"]["code"]) == (404, "not-found")
    assert third == {"id": "c", "status": 204, "body": None}


async def test_a_slow_part_does_not_hold_back_the_others(client):
    asked = _ask(
        {"id": "slow", "path": "/v1/recommendations?wait=30"},
        {"id": "quick", "path": "/v1/recommendations"},
    )
    started = perf_counter()
    answered = await client.post("/v1/batch", json=asked)
    slow, quick = answered.json()["responses"]
    assert perf_counter() - started < 3
    assert (slow["status"], slow["body"]["code"]) == (504, "deadline-exceeded")
    assert slow["body"]["instance"] == "/v1/recommendations"
    assert quick["status"] == 200


async def test_the_callers_key_goes_along_and_its_cookies_do_not(client):
    headers = {"Authorization": "Bearer mr_x", "Cookie": "sessionid=1", "X-Request-ID": "r" * 16}
    asked = _ask({"id": "a", "path": "/v1/products/1"})
    answered = await client.post("/v1/batch", json=asked, headers=headers)
    seen = answered.json()["responses"][0]["body"]["headers"]
    assert seen["authorization"] == "Bearer mr_x"
    assert seen["x-request-id"] == "r" * 16
    assert "cookie" not in seen


async def test_parts_are_refused_before_what_is_asked_alone(client):
    answered = await client.post("/v1/batch", json=_ask({"id": "a", "path": "/v1/products/1"}))
    seen = answered.json()["responses"][0]["body"]["headers"]
    assert seen["priority"] == "u=7"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/batch",
        "/v1/batch?x=1",
        "/v1/%62atch",
        "/v1/imports/products",
        "/v1/../readyz",
        "/v1/products/../../admin/",
        "/v1/%2e%2e/internal/catalog/v1/changes",
        "/internal/catalog/v1/changes",
        "/admin/",
        "//evil.example/v1/",
        "/v1/a b",
        "/v1/\r\nHost: evil",
    ],
)
async def test_only_public_calls_are_taken(client, path):
    answered = await client.post("/v1/batch", json=_ask({"id": "a", "path": path}))
    assert answered.status_code == 422
    assert answered.json()["errors"][0]["pointer"] == "/requests/0/path"


@pytest.mark.parametrize("host", ["it/shop/stream?", "it:99999", "["])
async def test_the_host_that_is_named_leads_to_no_other_path(client, host):
    asked = _ask({"id": "a", "path": "/v1/products/1"})
    answered = await client.post("/v1/batch", json=asked, headers={"Host": host})
    (part,) = answered.json()["responses"]
    assert (part["body"]["id"], part["body"]["headers"]["host"]) == ("1", host)


async def test_an_answer_that_is_not_json_does_not_spoil_the_others(client):
    asked = _ask({"id": "a", "path": "/v1/text"}, {"id": "b", "path": "/v1/recommendations"})
    answered = await client.post("/v1/batch", json=asked)
    text, other = answered.json()["responses"]
    assert (text["status"], text["body"]) == (200, None)
    assert other["body"] == {"items": []}


async def test_more_than_ten_parts_unknown_fields_and_wrong_types_are_refused(client):
    part = {"id": "a", "path": "/v1/recommendations"}
    many = await client.post("/v1/batch", json=_ask(*[part] * 11))
    unknown = await client.post("/v1/batch", json=_ask({**part, "headers": {}}))
    wrong = await client.post("/v1/batch", json=_ask({**part, "id": 7}))
    assert [one.json()["errors"][0]["pointer"] for one in (many, unknown, wrong)] == [
        "/requests",
        "/requests/0/headers",
        "/requests/0/id",
    ]


async def test_what_is_not_json_is_told_apart(client):
    headers = {"Content-Type": "application/json"}
    malformed = await client.post("/v1/batch", content=b"{", headers=headers)
    plain = await client.post("/v1/batch", content=b"{}", headers={"Content-Type": "text/plain"})
    assert (malformed.status_code, malformed.json()["code"]) == (400, "malformed-json")
    assert (plain.status_code, plain.json()["code"]) == (415, "unsupported-media-type")


async def test_every_part_counts_against_the_callers_limit(client):
    asked = _ask(*[{"id": str(n), "path": "/v1/recommendations"} for n in range(10)])
    await client.post("/v1/batch", json=asked)
    answered = await client.post("/v1/batch", json=asked)
    statuses = [part["status"] for part in answered.json()["responses"]]
    assert sorted(statuses) == [200] * 8 + [429] * 2  # 20 a minute, and each batch is one of them


async def test_numbers_of_any_size_reach_the_part(client):
    body = {"ids": [10**30]}
    asked = _ask({"id": "a", "method": "POST", "path": "/v1/products:batch", "body": body})
    answered = await client.post("/v1/batch", json=asked)
    assert answered.json()["responses"][0]["status"] in (200, 422)
