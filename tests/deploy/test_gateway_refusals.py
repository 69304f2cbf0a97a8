"""Who is refused by a component that has too much to do is not sent on to the next."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from tests import debian, servers
from tests.components import ROLES, Component, answering


@pytest.fixture
def components() -> Iterator[list[Component]]:
    """Two processes of every role, both of which refuse."""
    with ExitStack() as stack:
        made = [stack.enter_context(answering()) for _ in range(2)]
        for component in made:
            component.status = 503
            component.headers = {"Retry-After": "3", "Content-Type": "application/problem+json"}
        yield made


@pytest.fixture
def client(components: list[Component], tmp_path: Path) -> Iterator[httpx2.Client]:
    servers.need("NGINX")
    both = " ".join(f"127.0.0.1:{component.server_port}" for component in components)
    with (
        debian.gateway(tmp_path / "nginx", dict.fromkeys(ROLES, both)) as gateway,
        httpx2.Client(base_url=gateway) as client,
    ):
        yield client


@pytest.mark.parametrize("path", ["/v1/recommendations", "/v1/events", "/v1/batch", "/v1/products"])
def test_a_refusal_is_handed_through_and_no_other_process_is_asked(client, components, path):
    refused = client.request("GET" if path == "/v1/products" else "POST", path)
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "3"
    assert refused.json()["number"] == 1
    assert sum(len(component.asked) for component in components) == 1
