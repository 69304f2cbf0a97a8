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


@pytest.mark.parametrize(
    "sent",
    [
        smuggled.REQUESTS["CL twice, both 0 and all"],
        b"GET /v1/products/%00 HTTP/1.1\r\nHost: shop\r\n\r\n",
        b"GET /v1/products/%zz HTTP/1.1\r\nHost: shop\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: shop\r\n\r\n",
        b"GET /v1/products HTTP/1.1\r\nHost: one\r\nHost: two\r\n\r\n",
        b"GET /v1/products HTTP/1.1\r\n\r\n",
        b"GET /v1/products HTTP/7.1\r\nHost: shop\r\n\r\n",
        b"get /v1/products HTTP/1.1\r\nHost: shop\r\n\r\n",
        b"GET /v1/products?q=" + b"a" * 9000 + b" HTTP/1.1\r\nHost: shop\r\n\r\n",
        b"GET /v1/products HTTP/1.1\r\nHost: shop\r\nX-A: " + b"a" * 40000 + b"\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
    ],
    ids=lambda sent: str(sent[:60]),
)
def test_what_is_no_request_is_told_so_in_a_problem(port, sent):
    heard = told(port, sent)
    assert heard.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"Content-Type: application/problem+json\r\n" in heard
    assert b'"code":"bad-request"' in heard


def test_a_method_that_nobody_knows_here_is_a_problem(port):
    heard = told(port, b"TRACE /v1/products HTTP/1.1\r\nHost: shop\r\n\r\n")
    assert heard.startswith(b"HTTP/1.1 405 ")
    assert b'"code":"method-not-allowed"' in heard
