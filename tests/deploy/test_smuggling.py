"""No request gets past the gateway inside another."""

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests import debian, servers, smuggled
from tests.components import ROLES, Component, answering


@pytest.fixture(scope="module")
def component() -> Iterator[Component]:
    with answering() as made:
        yield made


@pytest.fixture(scope="module")
def port(component: Component, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    servers.need("NGINX")
    roles = dict.fromkeys(ROLES, f"127.0.0.1:{component.server_port}")
    with debian.gateway(tmp_path_factory.mktemp("gateway"), roles) as address:
        yield int(address.rpartition(":")[2])


def told(port: int, sent: bytes) -> bytes:
    """All that is answered until the gateway closes or says nothing for a while."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(sent)
        connection.settimeout(0.2)
        with suppress(TimeoutError, ConnectionError):
            while chunk := connection.recv(65536):
                heard += chunk
    return heard


def test_what_is_inside_would_be_heard_by_itself(port, component):
    told(port, smuggled.INNER.encode())
    assert component.paths.pop() == smuggled.INSIDE


@pytest.mark.parametrize("name", smuggled.REQUESTS)
def test_a_request_inside_another_is_neither_answered_nor_heard(port, component, name):
    heard = told(port, smuggled.REQUESTS[name])
    assert heard.count(b"HTTP/1.") <= 1
    assert smuggled.INSIDE not in component.paths


def test_what_the_gateway_itself_refuses_is_a_problem(port):
    heard = told(port, smuggled.REQUESTS["CL twice, both 0 and all"])
    assert b"400 Bad Request" in heard
    assert b'"code":"bad-request"' in heard
