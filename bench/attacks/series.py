"""Paths, methods, products and slugs that nobody has heard of: no metric may grow by them."""

import random
import sys

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
    added = _series(site) - before
    sys.stderr.writelines(f"{series}\n" for series in sorted(added))
    return {
        "metrics.series_added": float(len(added)),
        "metrics.series": float(len(before)),
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


def _series(site: Site) -> set[str]:
    """Of all components, by name and labels."""
    told = {
        role: httpx2.get(f"http://127.0.0.1:{port}/metrics").text
        for role, port in site.shop.ports.items()
    }
    return {
        f"{role} {line.rpartition(' ')[0]}"
        for role, text in told.items()
        for line in text.splitlines()
        if not line.startswith("#")
    }
