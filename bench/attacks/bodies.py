"""Bodies that are larger than they may be, lie about their length, or are compressed."""

import gzip
import socket
import time
from contextlib import suppress

from bench.attacks import wire
from bench.attacks.site import Site

MEGABYTE = 1 << 20
PIECE = b" " * 16384
LARGEST = 10 * MEGABYTE
LEFT = 499  # who hangs up in the middle of a body need not be told
REFUSED = {400, 408, 413, 415, LEFT}
ANSWER_SECONDS = 15  # the slowest body has ten
PATHS = (
    "/v1/recommendations",
    "/v1/events",
    "/v1/products:batch",
    "/v1/profiles:match",
    "/v1/batch",
)
JSON = "Content-Type: application/json"
ROUNDS = 20


def attack(site: Site) -> dict[str, float]:
    """growth_mb: of all processes; taken: bodies of ten megabytes of which one or more was read
    before an answer came; unrefused: answers other than 400, 408, 413 and 415, and no answer,
    unless the body was cut short and then the connection was closed.
    """
    ports = (site.port, site.shop.ports["router"])
    for port in ports:
        _round(port)
    before = site.memory_mb()
    told = [each for _ in range(ROUNDS) for port in ports for each in _round(port)]
    time.sleep(1)
    return {
        "bodies.growth_mb": max(0.0, site.memory_mb() - before),
        "bodies.taken": sum(sent >= MEGABYTE for _, sent in told),
        "bodies.unrefused": sum(status not in REFUSED for status, _ in told),
    }


def _round(port: int) -> list[tuple[int, int]]:
    """Status and bytes sent before it, for each path and each way to lie."""
    return [answer for path in PATHS for answer in _bodies(port, path)]


def _bodies(port: int, path: str) -> list[tuple[int, int]]:
    length = f"Content-Length: {LARGEST}"
    bomb = gzip.compress(b" " * LARGEST)
    encoded = ("Content-Encoding: gzip", f"Content-Length: {len(bomb)}")
    return [
        _sent(port, wire.request("POST", path, JSON, length)),
        _sent(port, wire.request("POST", path, JSON, "Transfer-Encoding: chunked"), chunked=True),
        _sent(port, wire.request("POST", path, JSON, f"{length}0000000000")),
        _whole(port, wire.request("POST", path, JSON, *encoded, body=bomb)),
        # Less than what was announced, and then nothing more.
        _whole(port, wire.request("POST", path, JSON, "Content-Length: 9", body=b"{}"), ends=True),
    ]


def _sent(port: int, head: bytes, *, chunked: bool = False) -> tuple[int, int]:
    """Go on until an answer comes, or ten megabytes are sent."""
    piece = b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if chunked else PIECE
    sent = 0
    with wire.connected(port) as connection:
        connection.sendall(head)
        connection.settimeout(0.01)
        while sent < LARGEST:
            try:
                if connection.recv(12, socket.MSG_PEEK):
                    break
            except TimeoutError:
                pass
            try:
                sent += connection.send(piece)
            except (ConnectionError, TimeoutError):
                break
        return wire.first_status(connection, ANSWER_SECONDS), sent


def _whole(port: int, sent: bytes, *, ends: bool = False) -> tuple[int, int]:
    with wire.connected(port) as connection:
        connection.sendall(sent)
        if ends:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
        status = wire.first_status(connection, ANSWER_SECONDS)
        return LEFT if ends and status == wire.CLOSED else status, len(sent)
