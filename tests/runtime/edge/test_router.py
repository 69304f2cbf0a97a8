"""The router with mounted components, and the same with components behind URLs."""

import socket
import threading
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest
import uvicorn
from a2wsgi import WSGIMiddleware

from runtime import keys, transports
from runtime.asgi import ASGIApp
from runtime.edge.lifespans import running
from runtime.edge.router import router
from runtime.edge.settings import Settings
from tests.runtime.edge import parts


def _serve(app: ASGIApp) -> tuple[str, uvicorn.Server, threading.Thread]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}", server, thread


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """Each component in a server of its own."""
    apps = {"catalog": parts.catalog, "profile": WSGIMiddleware(parts.profile), "reco": parts.reco}
    servers = {name: _serve(app) for name, app in apps.items()}
    yield {f"{name}_url": url for name, (url, _, _) in servers.items()}
    for _, server, thread in servers.values():
        server.should_exit = True
        thread.join()


@pytest.fixture(params=["mounted", "forwarded"])
async def client(request, urls) -> AsyncIterator[httpx2.AsyncClient]:
    """A caller of the router, once with everything mounted and once with everything forwarded."""
    app = router(Settings(**(urls if request.param == "forwarded" else {})), entries=parts.ENTRIES)
    async with running(app), _caller(app) as caller:
        yield caller


@pytest.fixture
async def lonely() -> AsyncIterator[httpx2.AsyncClient]:
    """A caller of a router whose components are all away."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        dead = f"http://127.0.0.1:{listening.getsockname()[1]}"
    app = router(Settings(catalog_url=dead, profile_url=dead, reco_url=dead), entries=parts.ENTRIES)
    async with running(app), _caller(app) as caller:
        yield caller


def _caller(app: ASGIApp) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app, client=("198.51.100.7", 5))
    return httpx2.AsyncClient(transport=transport, base_url="http://shop.example")


async def test_each_path_reaches_its_component_unstripped(client):
    product = await client.get("/v1/products/85123A")
    matched = await client.post("/v1/profiles:match", content=b"12345")
    recommended = await client.get("/v1/recommendations")
    assert product.json()["id"] == "85123A"
    assert matched.json() == {"size": 5}
    assert recommended.json() == {"items": []}


async def test_a_component_sees_what_its_own_lifespan_opened(client):
    assert (await client.get("/v1/products/1")).json()["state"] == "in the lifespan"


async def test_an_encoded_path_and_its_query_arrive_as_they_were_sent(client):
    answered = await client.get("/v1/products/a%20b%2Bc?limit=2")
    assert answered.json()["id"] == "a b+c"


async def test_components_see_the_public_host_and_one_request_id(client):
    answered = await client.get("/v1/products/1", headers={"X-Request-ID": "abc-12345678"})
    seen = answered.json()["headers"]
    assert seen["host"] == "shop.example"
    assert seen["x-request-id"] == "abc-12345678"
    assert answered.headers.get_list("X-Request-ID") == ["abc-12345678"]


async def test_streams_and_empty_answers_come_through(client):
    assert len((await client.get("/shop/stream")).content) == 3000
    forgotten = await client.delete("/v1/sessions/abc")
    assert (forgotten.status_code, forgotten.content) == (204, b"")


async def test_a_problem_of_a_component_comes_through(client):
    answered = await client.post("/v1/events", json={})
    assert answered.status_code == 503
    assert answered.headers["Retry-After"] == "7"
    assert answered.json()["detail"] == "Nothing can be stored."


async def test_a_fault_of_a_component_is_a_problem_that_tells_nothing(client):
    answered = await client.get("/shop/broken")
    assert (answered.status_code, answered.json()["code"]) == (500, "internal")
    assert "secret" not in answered.text


async def test_malformed_json_and_wrong_types_are_told_by_pointer(client):
    malformed = await client.post("/v1/products:batch", content=b"{", headers=_JSON)
    wrong = await client.post("/v1/products:batch", json={"ids": [1, "x"]})
    parameter = await client.get("/v1/products/1?limit=many")
    assert (malformed.status_code, malformed.json()["code"]) == (400, "malformed-json")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/ids/1")
    assert (parameter.status_code, parameter.json()["errors"][0]["pointer"]) == (422, "?limit")


_JSON = {"Content-Type": "application/json"}


async def test_ten_megabytes_are_refused_by_every_component(client):
    for path in ("/v1/products:batch", "/v1/profiles:match", "/v1/events", "/v1/batch"):
        answered = await client.post(path, content=b"x" * 10_000_000, headers=_JSON)
        assert (answered.status_code, answered.json()["code"]) == (413, "body-too-large")


async def test_unknown_paths_and_methods_are_problems(client):
    unknown = await client.get("/v1/nothing")
    method = await client.put("/v1/recommendations")
    own = await client.get("/v1/batch")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    assert (method.status_code, method.headers["Allow"]) == (405, "GET")
    assert (own.status_code, own.headers["Allow"]) == (405, "POST")


async def test_internal_paths_need_the_internal_key(client):
    path = "/internal/catalog/v1/changes"
    shown = {"Authorization": keys.internal_authorization()}
    assert (await client.get(path)).status_code == 401
    assert (await client.get(path, headers=shown)).json() == {"next": 1}


async def test_readiness_tells_every_component(client):
    answered = await client.get("/readyz")
    checks = {"catalog": "ok", "profile": "ok", "reco": "ok"}
    assert answered.json() == {"status": "ready", "checks": checks}


async def test_the_root_leads_to_the_shop(client):
    answered = await client.get("/")
    assert (answered.status_code, answered.headers["Location"]) == (302, "/shop/")


async def test_components_that_are_away_are_told_as_such(lonely):
    answered = await lonely.get("/v1/products/1")
    assert (answered.status_code, answered.json()["code"]) == (503, "unavailable")
    assert answered.headers["Retry-After"] == "2"
    assert (await lonely.get("/docs")).status_code == 200
    assert (await lonely.get("/readyz")).status_code == 503


async def test_components_that_accept_and_say_nothing_are_told_as_away_in_time():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        mute = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = Settings(catalog_url=mute, profile_url=mute, reco_url=mute)
        app = router(settings, entries=parts.ENTRIES)
        async with running(app), _caller(app) as caller:
            answered = await caller.get("/readyz")
    checks = {"catalog": "away", "profile": "away", "reco": "unready"}
    assert (answered.status_code, answered.json()["checks"]) == (503, checks)


async def test_a_router_of_mounted_components_starts_and_stops_them():
    parts.life.clear()
    async with running(router(Settings(), entries=parts.ENTRIES)):
        assert parts.life == ["catalog starts"]
        assert (await transports.client("catalog", "").get("/livez")).status_code == 200
    assert parts.life == ["catalog starts", "catalog stops"]
