"""Two hundred sockets that say a byte a second, and what others wait for beside them."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx2
import numpy as np

from bench.attacks.site import Site
from tests import market

SOCKETS = 200
NETWORKS = 10  # each may have a hundred requests at a time
PER_SECOND = 50
SECONDS = 12.0
HEAD = b"POST /v1/recommendations HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
BODY = HEAD + b"Content-Length: 60000\r\n\r\n"


def attack(site: Site) -> dict[str, float]:
    """p99_ratio: of the others' answers beside the slow ones to that before and after."""
    _p99_ms(site, 3.0)
    before = _p99_ms(site, SECONDS)
    with _slow(site.port) as opened:
        time.sleep(2)
        during = _p99_ms(site, SECONDS)
    time.sleep(1)
    after = _p99_ms(site, SECONDS)
    return {
        "slow_sockets.p99_ratio": during / ((before + after) / 2),
        "slow_sockets.p99_before_ms": before,
        "slow_sockets.p99_during_ms": during,
        "slow_sockets.opened": float(len(opened)),
    }


def _p99_ms(site: Site, seconds: float) -> float:
    """Of recommendations that leave at even distances, counted from when each was due."""
    times: list[float] = []
    items = [market.item_id(kind, 3) for meal in market.MEALS for kind in meal]
    with httpx2.Client(base_url=site.gateway, trust_env=False) as client:
        due = time.monotonic()
        for number in range(int(seconds * PER_SECOND)):
            due += 1 / PER_SECOND
            time.sleep(max(0.0, due - time.monotonic()))
            body = {"items": [{"item_id": items[number % len(items)]}]}
            client.post("/v1/recommendations", json=body).raise_for_status()
            times.append(time.monotonic() - due)
    return float(np.percentile(times, 99)) * 1e3


@contextmanager
def _slow(port: int) -> Iterator[list[int]]:
    """Half of them never end their head, half never their body; who is cut off comes again."""
    opened: list[int] = []
    ended = threading.Event()
    thread = threading.Thread(target=_trickle, args=(port, opened, ended), daemon=True)
    thread.start()
    try:
        yield opened
    finally:
        ended.set()
        thread.join()


def _trickle(port: int, opened: list[int], ended: threading.Event) -> None:
    sockets: list[socket.socket | None] = [None] * SOCKETS
    while not ended.wait(1):
        for number, held in enumerate(sockets):
            if held is None or not _said(held, b"X-A: b\r\n" if number % 2 else b" "):
                sockets[number] = _opened(port, number)
                opened.append(number)
    for held in sockets:
        if held is not None:
            held.close()


def _opened(port: int, number: int) -> socket.socket:
    network = f"127.0.1.{1 + number % NETWORKS}"
    made = socket.create_connection(("127.0.0.1", port), 5, source_address=(network, 0))
    made.sendall(HEAD if number % 2 else BODY)
    made.setblocking(False)
    return made


def _said(held: socket.socket, said: bytes) -> bool:
    """Whether it still listens; who has been answered or cut off is closed."""
    with suppress(BlockingIOError):
        with suppress(ConnectionError):
            held.recv(1 << 16)
        held.close()
        return False
    try:
        held.send(said)
    except OSError:
        held.close()
        return False
    return True
