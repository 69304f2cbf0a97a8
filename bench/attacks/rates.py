"""One network that wants more than its share: how much it is given, by what it says of itself."""

import json
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

import httpx2

from bench.attacks import wire
from bench.attacks.site import PARTS_A_MINUTE, Site

SECONDS = 8.0
READS, WRITES = (400, 40.0), (100, 10.0)  # at once, and a second: deploy/nginx
REFUSED = 100  # batches, after which no more are tried
EVENT = b'{"events": [{"event_id": "%d", "event_type": "view", "item_id": "pasta-3"}]}'
JSON = "Content-Type: application/json"
Ask = Callable[[random.Random], bytes]


class Evasion(NamedTuple):
    """What a network sends, and what it is allowed: at once, and a second."""

    name: str
    allowed: tuple[int, float]
    ask: Ask
    balanced: bool = False


def attack(site: Site) -> dict[str, float]:
    """admitted_ratio: the most that an evasion got of what one plain caller may have."""
    told = {}
    for number, evasion in enumerate(EVASIONS):
        told[evasion.name] = _ratio(site, evasion, network=f"127.0.2.{number + 1}")
    told["batches"] = _batched(site)
    return {
        "rate_limit.admitted_ratio": max(told.values()),
        **{f"rate_limit.{name}": ratio for name, ratio in told.items()},
    }


def _ratio(site: Site, evasion: Evasion, *, network: str) -> float:
    port = int(site.balanced.rpartition(":")[2]) if evasion.balanced else site.port
    network = "127.0.0.1" if evasion.balanced else network
    choice = random.Random(evasion.name)
    began = time.monotonic()
    statuses: list[int] = []
    while time.monotonic() - began < SECONDS:
        with wire.connected(port, network=network) as connection:
            statuses += _answers(connection, evasion.ask, choice, began + SECONDS)
    at_once, a_second = evasion.allowed
    allowed = 1 + at_once + a_second * (time.monotonic() - began)
    if len(statuses) < 1.2 * allowed:
        raise RuntimeError(f"{evasion.name}: asked {len(statuses)} times, which is no attack")
    return sum(status != httpx2.codes.TOO_MANY_REQUESTS for status in statuses) / allowed


def _batched(site: Site) -> float:
    """The parts of batches that were answered, and the batches, by the router's own limit."""
    parts = [{"id": str(number), "path": "/v1/categories"} for number in range(10)]
    body = json.dumps({"requests": parts}).encode()
    lines = (JSON, f"Content-Length: {len(body)}", "X-Forwarded-For: 203.0.113.7")
    batch = wire.request("POST", "/v1/batch", *lines, body=body)
    began, answered, refused = time.monotonic(), 0, 0
    with wire.connected(int(site.balanced.rpartition(":")[2])) as connection:
        while refused < REFUSED and time.monotonic() - began < SECONDS:
            connection.sendall(batch)
            status, _, told = wire.answered(connection)
            if status != httpx2.codes.OK:
                refused += 1
                continue
            statuses = [part["status"] for part in json.loads(told)["responses"]]
            answered += 1 + sum(each == httpx2.codes.OK for each in statuses)
    if refused < REFUSED:
        raise RuntimeError(f"batches: {answered} answered, {refused} refused: that is no attack")
    return answered / PARTS_A_MINUTE


def _answers(
    connection: socket.socket, ask: Ask, choice: random.Random, end: float
) -> Iterator[int]:
    """Of one connection, which the gateway closes after a thousand requests."""
    with suppress(ConnectionError):
        while time.monotonic() < end:
            connection.sendall(ask(choice))
            yield wire.answered(connection)[0]


def _address(choice: random.Random) -> str:
    return ".".join(str(choice.randrange(1, 255)) for _ in range(4))


def _spoofed(choice: random.Random) -> bytes:
    names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP")
    return wire.request("GET", "/v1/categories", *(f"{name}: {_address(choice)}" for name in names))


def _spelt(choice: random.Random) -> bytes:
    ways = ("/v1/categories", "//v1/categories", "/v1/./categories", "/v1/%63ategories")
    ways += ("/V1/Categories", "/static/../v1/categories", "/v1/categories/", "/%76%31/categories")
    return wire.request("GET", f"{choice.choice(ways)}?{choice.random()}")


def _methods(choice: random.Random) -> bytes:
    method = choice.choice(("GET", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "PROPFIND"))
    return wire.request(method, "/v1/products/pasta-3", "Content-Length: 0")


def _events(choice: random.Random) -> bytes:
    ways = ("/v1/events", "/v1/%65vents", "//v1/events", "/v1/./events", "/v1/x/../events")
    body = EVENT % choice.getrandbits(60)
    lines = (JSON, f"Content-Length: {len(body)}", f"X-Forwarded-For: {_address(choice)}")
    method = choice.choice(("POST", "POST", "PUT", "DELETE", "X-POST"))
    return wire.request(method, choice.choice(ways), *lines, body=body)


def _one_of_64_bits(choice: random.Random) -> bytes:
    own = choice.choice((f"::{choice.getrandbits(15):x}", ":" + _groups(choice)))
    return wire.request("GET", "/v1/categories", f"X-Forwarded-For: 2001:db8:1:0{own}")


def _with_zeros(choice: random.Random) -> bytes:
    own = choice.choice((f"{choice.getrandbits(15):x}", _groups(choice)))
    return wire.request("GET", "/v1/categories", f"X-Forwarded-For: 2001:db8::{own}")


def _groups(choice: random.Random) -> str:
    return ":".join(f"{choice.randrange(1, 65536):x}" for _ in range(4))


EVASIONS = (
    Evasion("plain", READS, lambda _: wire.request("GET", "/v1/categories")),
    Evasion("spoofed", READS, _spoofed),
    Evasion("spelt", READS, _spelt),
    Evasion("methods", READS, _methods),
    Evasion("events", WRITES, _events),
    Evasion("one_of_64_bits", READS, _one_of_64_bits, balanced=True),
    Evasion("with_zeros", READS, _with_zeros, balanced=True),
)
