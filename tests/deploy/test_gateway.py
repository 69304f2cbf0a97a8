"""What NGINX does by itself, whether the components answer or not."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from runtime.local.servers import free_port
from tests import debian, servers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "nginx"


@pytest.fixture
def client(folder: Path) -> Iterator[httpx2.Client]:
    """A caller from elsewhere, at a gateway whose components are away."""
    servers.need("NGINX")
    nobody = f"127.0.0.1:{free_port()}"
    roles = ("router", "reco", "catalog", "profile")
    elsewhere = httpx2.HTTPTransport(local_address="127.0.0.2")  # 127.0.0.1 is not limited
    with (
        debian.gateway(folder, dict.fromkeys(roles, nobody)) as address,
        httpx2.Client(transport=elsewhere, base_url=address) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("method", "path", "policy", "quota", "burst"),
    [
        ("GET", "/v1/products", "read", 2400, 400),
        ("POST", "/v1/recommendations", "read", 2400, 400),
        ("GET", "/static/v-0123456789ab/nothing.css", "file", 24000, 4000),
        ("POST", "/v1/events", "write", 600, 100),
        ("X-POST", "/v1/%65vents", "write", 600, 100),
    ],
)
def test_a_network_that_asks_too_much_is_told_to_wait(client, method, path, policy, quota, burst):
    statuses = [client.request(method, path).status_code for _ in range(burst)]
    refused = next(
        answer
        for answer in (client.request(method, path) for _ in range(10 * burst))
        if answer.status_code == 429
    )
    assert set(statuses) == {503}
    assert refused.json()["code"] == "rate-limited"
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["RateLimit"] == f'"{policy}";r=0;t=1'
    assert refused.headers["RateLimit-Policy"] == f'"{policy}";q={quota};w=60'


def test_the_log_tells_neither_address_nor_path(client, folder):
    client.delete("/v1/sessions/visitor-77")
    client.get("/v1/categories")  # over the same connection: by now the first has been logged
    logged = (folder / "output.log").read_text()
    line = logged.splitlines()[0]
    assert json.loads(line)["status"] == 503
    assert "visitor-77" not in logged
    assert "127.0.0.2" not in logged
