"""How soon what one visitor does is felt by another: one process a role, on Debian's servers.

    python -m bench.freshness

Two sessions have looked at both products of a pair that nobody had met before. A third one does:
it takes from the moment at which its last event is sent until a visitor who looks at the one
product, and asks twenty times a second, is shown the other for it.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import httpx2
import numpy as np

from runtime.local.processes import start_split
from tests import debian, market, shops

PAIRS = 120
MOST_SECONDS = 30
LOOK_SECONDS = 0.05
SETTLED_SECONDS = 5


def main() -> None:
    sys.stdout.write(json.dumps(measure(), indent=1) + "\n")


def measure() -> dict[str, float]:
    """On a shop of its own."""
    with tempfile.TemporaryDirectory(prefix="multireco-freshness-") as made:
        Path(made).chmod(0o755)
        with (
            debian.running(Path(made)) as given,
            shops.selling(given, Path(made), start_split) as shop,
        ):
            return measure_at(shop.address, key=shop.key("events"))


def measure_at(address: str, *, key: Mapping[str, str], pairs: int = PAIRS) -> dict[str, float]:
    """On a running shop that sells the market of the tests; `key`: headers that may send events."""
    with httpx2.Client(base_url=address, timeout=30) as client:
        chosen = list(_pairs())[:pairs]
        for one, other in chosen:
            for _ in range(2):
                _visit(client, key, one, other)
        time.sleep(SETTLED_SECONDS)
        seconds = [_felt_after(client, key, *pair) for pair in chosen]
    return {
        "freshness.pairs": len(seconds),
        "freshness.p50_seconds": float(np.percentile(seconds, 50)),
        "freshness.p95_seconds": float(np.percentile(seconds, 95)),
        "freshness.worst_seconds": max(seconds),
    }


def _pairs() -> Iterator[tuple[str, str]]:
    """Products of different meals, none in two pairs."""
    items = [
        [market.item_id(category, number) for category in meal]
        for number in range(1, market.KINDS + 1)
        for meal in market.MEALS
    ]
    half = len(items) // 2
    for ones, others in zip(items[:half], reversed(items[half:]), strict=True):
        yield from zip(ones, others, strict=True)


def _felt_after(client: httpx2.Client, key: Mapping[str, str], one: str, other: str) -> float:
    if _is_shown(client, one, other):
        raise RuntimeError(f"{other} is shown for {one} before anybody can know")
    session = uuid4().hex
    _look_at(client, key, session, one)
    began = time.monotonic()
    _look_at(client, key, session, other)
    while not _is_shown(client, one, other):
        if time.monotonic() > began + MOST_SECONDS:
            raise TimeoutError(f"{other} is not shown for {one}")
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - began


def _visit(client: httpx2.Client, key: Mapping[str, str], *items: str) -> None:
    session = uuid4().hex
    for item_id in items:
        _look_at(client, key, session, item_id)


def _look_at(client: httpx2.Client, key: Mapping[str, str], session: str, item_id: str) -> None:
    event = {
        "event_id": uuid4().hex,
        "session_id": session,
        "event_type": "view",
        "item_id": item_id,
    }
    told = client.post("/v1/events", json={"events": [event], "consent": True}, headers=dict(key))
    if told.status_code != 202 or told.json()["accepted"] != 1:
        raise RuntimeError(f"an event was not taken: {told.text}")


def _is_shown(client: httpx2.Client, one: str, other: str) -> bool:
    """Whether who looks at the one is shown the other, and for that reason."""
    asked = {"items": [{"item_id": one}], "count": 12}
    items = client.post("/v1/recommendations", json=asked).raise_for_status().json()["items"]
    return any(
        item["item_id"] == other and item["reasons"][0]["evidence"] == "viewed-together"
        for item in items
    )


if __name__ == "__main__":
    main()
