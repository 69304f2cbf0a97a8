"""Paths, methods, products and slugs that nobody has heard of: no metric may grow by them."""

import random

import httpx2

from bench.attacks import wire
from bench.attacks.site import Site

STORM = 4_000
PATHS = (
    "/v1/products/{}",
    "/v1/profiles/{}",
    "/v1/preferences/{}",
    "/v1/{}",
    "/{}",
    "/shop/{}",
    "/v1/recommendations?item={}",
    "/v1/recommendations?scenario={}",
    "/v1/products?q={}&category={}",
    "/problems/{}",
    "/docs/{}",
)
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "A{}", "B{}-C")


def attack(site: Site) -> dict[str, float]:
    """series_added: by STORM requests, once each kind of them has been seen."""
    choice = random.Random(7)
    for path in PATHS:
        for method in METHODS * 2:
            _ask(site.port, method, path, choice)
    before = _series(site)
    for _ in range(STORM):
        _ask(site.port, choice.choice(METHODS), choice.choice(PATHS), choice)
    return {
        "metrics.series_added": float(_series(site) - before),
        "metrics.series": float(before),
        "metrics.storm": float(STORM),
    }


def _ask(port: int, method: str, path: str, choice: random.Random) -> None:
    word = f"{choice.getrandbits(40):x}"
    method = method.format(word.upper())
    lines = (f"X-Request-ID: {word}", f"User-Agent: {word}", f"Origin: https://{word}.example")
    wire.exchanged(
        port,
        wire.request(
            method, path.format(word, word), *lines, "Content-Length: 0", "Connection: close"
        ),
        seconds=5,
    )


def _series(site: Site) -> int:
    told = [
        httpx2.get(f"http://127.0.0.1:{port}/metrics").text for port in site.shop.ports.values()
    ]
    return sum(not line.startswith("#") for text in told for line in text.splitlines())
