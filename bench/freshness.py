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
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import httpx2
import numpy as np

from runtime.local.processes import start_split
from tests import debian, market, shops

PAIRS = 120
PAIRS_A_BATCH = 20
MOST_SECONDS = 60
LOOK_SECONDS = 0.05


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
        last, *chosen = list(_pairs())[: pairs + 1]
        for first in range(0, len(chosen), PAIRS_A_BATCH):
            _look_at(client, key, *_visits(chosen[first : first + PAIRS_A_BATCH] * 2))
        _look_at(client, key, *_visits([last] * 3))
        _wait_until_shown(client, *last)  # so that all that was sent is stored
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
    _look_at(client, key, (session, one))
    began = time.monotonic()
    _look_at(client, key, (session, other))
    _wait_until_shown(client, one, other)
    return time.monotonic() - began


def _wait_until_shown(client: httpx2.Client, one: str, other: str) -> None:
    until = time.monotonic() + MOST_SECONDS
    while not _is_shown(client, one, other):
        if time.monotonic() > until:
            raise TimeoutError(f"{other} is not shown for {one}")
        time.sleep(LOOK_SECONDS)


def _visits(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """A session for each pair, and what it looks at."""
    sessions = ((uuid4().hex, pair) for pair in pairs)
    return [(session, item_id) for session, pair in sessions for item_id in pair]


def _look_at(client: httpx2.Client, key: Mapping[str, str], *views: tuple[str, str]) -> None:
    """Send a view for each session and product."""
    events = [
        {
            "event_id": uuid4().hex,
            "session_id": session,
            "event_type": "view",
            "item_id": item_id,
        }
        for session, item_id in views
    ]
    told = client.post("/v1/events", json={"events": events, "consent": True}, headers=dict(key))
    if told.status_code != 202 or told.json()["accepted"] != len(events):
        raise RuntimeError(f"events were not taken: {told.text}")


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
