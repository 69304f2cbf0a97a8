"""How much one network may ask."""

import httpx2
import pytest

from runtime.asgi import Receive, Scope, Send, answer
from runtime.limits import limited, network
from runtime.shell import shell


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, status=200, body=b"", media_type="text/plain")


async def _ready():
    return {}


@pytest.fixture
def client_at():
    """A client at an address, of one application with a limit of eight reads a minute."""
    counted = limited(_app, requests_per_minute=8, exempt=lambda path: path == "/static/x.css")
    app = shell(counted, component="test", readiness=_ready)

    def at(address: str) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app, client=(address, 1))
        return httpx2.AsyncClient(transport=transport, base_url="http://test")

    return at


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


async def test_asking_with_a_body_counts_as_reading(client_at):
    client = client_at("198.51.100.7")
    statuses = {(await client.post("/v1/recommendations")).status_code for _ in range(8)}
    assert statuses == {200}


async def test_one_network_does_not_use_up_the_limit_of_another(client_at):
    for _ in range(9):
        await client_at("198.51.100.7").get("/")
    assert (await client_at("198.51.100.8").get("/")).status_code == 200


async def test_the_addresses_of_one_ipv6_network_count_together(client_at):
    for last in range(8):
        await client_at(f"2001:db8:1:2::{last}").get("/")
    assert (await client_at("2001:db8:1:2:ffff::9").get("/")).status_code == 429
    assert (await client_at("2001:db8:1:3::9").get("/")).status_code == 200


async def test_exempt_paths_are_not_counted(client_at):
    client = client_at("198.51.100.7")
    statuses = {(await client.get("/static/x.css")).status_code for _ in range(20)}
    assert statuses == {200}


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_the_machine_itself_is_not_limited(address):
    assert network({"client": (address, 1)}) is None


def test_an_ipv4_address_written_as_ipv6_is_the_same_network():
    assert network({"client": ("::ffff:198.51.100.7", 1)}) == "198.51.100.7"
