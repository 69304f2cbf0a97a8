"""Attempts to have one caller's answer kept for another, beside callers who check theirs."""

import random
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import quote

import httpx2

from bench.attacks import wire
from bench.attacks.site import ORIGIN, Site
from tests import market

CHECKED = 10_000
CALLERS = 8
EVIL = "evil-77"
UNAVAILABLE = ("status 503", "status 504")
GOODS = [
    market.item_id(kind, number) for meal in market.MEALS for kind in meal for number in (3, 7)
]


class Target(NamedTuple):
    """A public address, what its answer begins with, and what may be added to its query."""

    path: str
    told: bytes
    query: str


def attack(site: Site) -> dict[str, float]:
    """cross_talk: answers that were not those of their own request; of CHECKED.

    Who is told that nothing can be had right now is told nobody else's: unanswered.
    """
    targets = _targets(site)
    with ThreadPoolExecutor(CALLERS) as pool:
        seeds = range(CALLERS)
        told = pool.map(lambda seed: _asking(site.port, targets, seed, CHECKED // CALLERS), seeds)
        wrong = [each for part in told for each in part]
    sys.stderr.writelines(f"{each}\n" for each in wrong)
    unanswered = sum(each.startswith(UNAVAILABLE) for each in wrong)
    return {
        "cache.cross_talk": float(len(wrong) - unanswered),
        "cache.unanswered": float(unanswered),
        "cache.checked": float(CHECKED),
        "cache.kept_percent": 100 * _kept(site),
    }


def _targets(site: Site) -> list[Target]:
    """Products and recommendations, with the answers that their components give by themselves."""
    catalog, reco = (f"http://127.0.0.1:{site.shop.ports[name]}" for name in ("catalog", "reco"))
    targets = []
    for item in GOODS:
        path = f"/v1/products/{item}"
        targets.append(Target(path, httpx2.get(catalog + path).content, "?"))
        path = f"/v1/recommendations?item={item}"
        targets.append(Target(path, _shown(httpx2.get(reco + path).content), "&"))
    return targets


def _shown(body: bytes) -> bytes:
    """Of recommendations, what is the same each time: not the id, which is signed anew."""
    return body[body.index(b'"items"') :] if b'"recommendation_id"' in body else body


def _asking(port: int, targets: list[Target], seed: int, count: int) -> list[str]:
    """Poison, then ask decently: the answers that were wrong."""
    choice = random.Random(seed)
    wrong: list[str] = []
    checked = 0
    while checked < count:
        target = choice.choice(targets)
        sent = choice.choice(_poisons(target, choice.choice(targets).path))
        wire.statuses(wire.exchanged(port, sent, seconds=2))
        with wire.connected(port) as connection:
            for number in range(min(count - checked, choice.choice((4, 8, 12)))):
                origin = (f"Origin: {ORIGIN}",) if number % 4 == 3 else ()
                each = target if number % 2 else choice.choice(targets)
                if trouble := _trouble(connection, each, origin):
                    wrong.append(f"{trouble} of {each.path} after {sent!r}")
                checked += 1
    return wrong


def _trouble(connection: socket.socket, target: Target, origin: tuple[str, ...]) -> str:
    connection.sendall(wire.request("GET", target.path, *origin))
    status, head, body = wire.answered(connection)
    allowed = b"access-control-allow-origin" in head.lower()
    if status != 200:
        return f"status {status}"
    if EVIL.encode() in head + body:
        return "the attacker's words"
    if _shown(body) != target.told:
        return "another answer"
    return "another origin's answer" if allowed != bool(origin) else ""


def _poisons(target: Target, other: str) -> list[bytes]:
    """What an attacker sends, for the path of a victim."""
    path, end = target.path, "Connection: close"
    get = wire.request
    name, _, last = path.rpartition("/")
    encoded = f"{name}/{quote(last[0]).replace(last[0], f'%{ord(last[0]):02X}')}{last[1:]}"
    forwarded = [f"X-Forwarded-{word}: {EVIL}" for word in ("Host", "Port", "Prefix", "Protocol")]
    return [
        get("GET", path, *forwarded, f"Forwarded: host={EVIL}", end),
        get("GET", path, f"X-Original-URL: {other}", f"X-Rewrite-URL: {other}", end),
        get("GET", path, "X-HTTP-Method-Override: DELETE", end),
        get("GET", path, f"Origin: https://{EVIL}.example", end),
        get("GET", path, f"Origin: {ORIGIN}", end),
        get("GET", path, "Sec-GPC: 1", f"Accept-Language: {EVIL}", "Accept: text/html", end),
        get("GET", path, f"Authorization: Bearer {EVIL}", end),
        get("GET", path, f"Cookie: sessionid={EVIL}", end),
        get("GET", path, f"X-Request-ID: {EVIL}-id", f"traceparent: {EVIL}", end),
        get("GET", path, "Range: bytes=0-3", end),
        get("GET", path, 'If-None-Match: "x"', "Accept-Encoding: gzip", end),
        get("GET", path, "Content-Length: 9", end, body=b'{"a": 1}\n'),
        get("GET", path, "X-Forwarded-For: 203.0.113.1", "X-Forwarded-Proto: https", end),
        get("GET", f"{path}{target.query}{EVIL}=1", end),
        get("GET", f"{path}{target.query}utm_source={EVIL}", end),
        get("GET", encoded, end),
        get("GET", path.replace("/v1/", "/v1//"), end),
        get("GET", path.replace("/v1/", "/v1/./"), end),
        get("GET", path.replace("/v1/", "/v1/x/../"), end),
        get("GET", f"{path}%23{EVIL}", end),
        get("GET", f"{path}%00", end),
        get("GET", f"http://{EVIL}.example{path}", end),
        get("GET", other, end).replace(b"Host: shop", f"Host: {EVIL}.example".encode()),
        get("GET", path, end).replace(b"Host: shop", f"Host: {EVIL}.example".encode()),
        get("HEAD", path, end),
        get("POST", path, "Content-Length: 2", end, body=b"{}"),
        get("OPTIONS", path, f"Origin: {ORIGIN}", "Access-Control-Request-Method: GET", end),
    ]


def _kept(site: Site) -> float:
    """The share of decent requests that came from the cache: without any, nothing was tried."""
    log = (site.shop.logs.parent / "nginx/output.log").read_text()
    return log.count('"cache":"HIT"') / max(1, log.count('"method":"GET"'))
