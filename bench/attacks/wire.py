"""Bytes to and from a server, as no decent client would send them."""

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CLOSED, SILENT = 0, -1
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@contextmanager
def connected(port: int, *, network: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A connection to this port of the machine, from an address of it."""
    with socket.create_connection(("127.0.0.1", port), 5, source_address=(network, 0)) as made:
        yield made


def exchanged(port: int, sent: bytes, *, seconds: float = 1.0, network: str = "127.0.0.1") -> bytes:
    """All that is answered until the server closes, or says nothing for so long."""
    with connected(port, network=network) as connection:
        with suppress(OSError):  # it may have heard enough
            connection.sendall(sent)
        return heard(connection, seconds)


def heard(connection: socket.socket, seconds: float) -> bytes:
    """What comes until the other side closes or is silent for so long."""
    connection.settimeout(seconds)
    told = b""
    with suppress(TimeoutError, ConnectionError, ssl.SSLError):
        while chunk := connection.recv(1 << 16):
            told += chunk
    return told


def first_status(connection: socket.socket, seconds: float) -> int:
    """Of the first answer; CLOSED where the other side closes without one, SILENT where it says
    nothing and does not close for so long."""
    connection.settimeout(seconds)
    told = b""
    while not (found := statuses(told)):
        try:
            chunk = connection.recv(1 << 16)
        except TimeoutError:
            return SILENT
        except ConnectionError:
            return CLOSED
        if not chunk:
            return CLOSED
        told += chunk
    return found[0]


def statuses(told: bytes) -> list[int]:
    """Of each answer in it."""
    return [int(status) for status in _STATUS.findall(told)]


def request(method: str, path: str, *lines: str, body: bytes = b"") -> bytes:
    """A request with these further header lines."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: shop", *lines, "", ""]).encode() + body


def answered(connection: socket.socket) -> tuple[int, bytes, bytes]:
    """Status, head and body of the next answer on a connection that is kept."""
    told = b""
    while b"\r\n\r\n" not in told:
        told += _more(connection)
    head, _, body = told.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    while len(body) < (int(length[1]) if length else 0):
        body += _more(connection)
    return int(head[9:12]), head, body


def _more(connection: socket.socket) -> bytes:
    chunk = connection.recv(1 << 16)
    if not chunk:
        raise ConnectionResetError("it was closed amid an answer")
    return chunk
