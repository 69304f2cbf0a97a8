"""How much one network may ask."""

import socket
from time import perf_counter

import httpx2
import pytest
import redis

from runtime import settings
from runtime.asgi import Receive, Scope, Send, answer
from runtime.limits import limited, network
from runtime.shell import shell


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, status=200, body=b"", media_type="text/plain")


async def _ready():
    return {}


@pytest.fixture
def client_at():
    """A client at an address, of one of two processes with a limit of eight reads a minute."""
    apps = [
        shell(limited(_app, requests_per_minute=8), component="test", readiness=_ready)
        for _ in range(2)
    ]

    def at(address: str, *, process: int = 0) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(apps[process], client=(address, 1))
        return httpx2.AsyncClient(transport=transport, base_url="http://test")

    return at


@pytest.fixture
def redis_at(monkeypatch):
    """Has this test's loop look for Redis at a port of this machine."""

    def use(port: int) -> None:
        there = settings.current().model_copy(update={"redis_url": f"redis://127.0.0.1:{port}/0"})
        monkeypatch.setattr(settings, "current", lambda: there)

    return use


async def test_what_exceeds_the_limit_is_told_when_to_come_back(client_at):
    client = client_at("198.51.100.7")
    statuses = [(await client.get("/")).status_code for _ in range(9)]
    refused = await client.get("/")
    assert statuses == [200] * 8 + [429]
    assert refused.json()["code"] == "rate-limited"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"read";r=0;t=')
    assert refused.headers["RateLimit-Policy"] == '"read";q=8;w=60'


async def test_writes_are_counted_apart_and_are_fewer(client_at):
    client = client_at("198.51.100.7")
    statuses = [(await client.post("/v1/events")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert (await client.get("/v1/products")).status_code == 200


async def test_files_of_pages_are_counted_apart_and_are_more(client_at):
    client = client_at("198.51.100.7")
    statuses = [(await client.get("/static/page.css")).status_code for _ in range(81)]
    assert statuses == [200] * 80 + [429]
    assert (await client.get("/")).status_code == 200


async def test_asking_with_a_body_counts_as_reading(client_at):
    client = client_at("198.51.100.7")
    statuses = {(await client.post("/v1/recommendations")).status_code for _ in range(8)}
    assert statuses == {200}


async def test_one_network_does_not_use_up_the_limit_of_another(client_at):
    for _ in range(9):
        await client_at("198.51.100.7").get("/")
    assert (await client_at("198.51.100.8").get("/")).status_code == 200


async def test_two_processes_count_together(client_at):
    for number in range(8):
        await client_at("198.51.100.7", process=number % 2).get("/")
    statuses = [
        (await client_at("198.51.100.7", process=process).get("/")).status_code
        for process in (0, 1)
    ]
    assert statuses == [429, 429]


async def test_without_redis_each_process_counts_by_itself(client_at, redis_at):
    redis_at(1)
    client = client_at("198.51.100.7")
    statuses = [(await client.get("/")).status_code for _ in range(9)]
    assert statuses == [200] * 8 + [429]
    assert (await client_at("198.51.100.7", process=1).get("/")).status_code == 200


async def test_a_redis_that_hangs_holds_up_no_request_for_long(client_at, redis_at):
    with socket.create_server(("127.0.0.1", 0)) as hung:
        redis_at(hung.getsockname()[1])
        client = client_at("198.51.100.7")
        began = perf_counter()
        statuses = [(await client.get("/")).status_code for _ in range(9)]
    assert statuses == [200] * 8 + [429]
    assert perf_counter() - began < 3


async def test_redis_holds_no_address(client_at):
    await client_at("198.51.100.7").get("/")
    with redis.Redis.from_url(settings.current().redis_url) as client:
        names = client.keys()
    assert len(names) == 1
    assert b"198.51.100.7" not in names[0]


async def test_the_addresses_of_one_ipv6_network_count_together(client_at):
    for last in range(8):
        await client_at(f"2001:db8:1:2::{last}").get("/")
    assert (await client_at("2001:db8:1:2:ffff::9").get("/")).status_code == 429
    assert (await client_at("2001:db8:1:3::9").get("/")).status_code == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_the_machine_itself_is_not_limited(address):
    assert network({"client": (address, 1)}) is None


def test_an_ipv4_address_written_as_ipv6_is_the_same_network():
    assert network({"client": ("::ffff:198.51.100.7", 1)}) == "198.51.100.7"
