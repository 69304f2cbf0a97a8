"""What visitors do is felt by others within seconds: in one process, split, and behind NGINX."""

import time
from uuid import uuid4

import httpx2
import pytest

from tests.shops import Shop

SECONDS = 3.0
# Products that the market sells in different meals: nobody has met both.
ONE, OTHER = "wine-7", "soap-2"


@pytest.fixture
def client(shop: Shop):
    with httpx2.Client(base_url=shop.address, timeout=20) as client:
        yield client


def look_at(client: httpx2.Client, shop: Shop, session: str, *items: str) -> None:
    events = [
        {"event_id": uuid4().hex, "session_id": session, "event_type": "view", "item_id": item}
        for item in items
    ]
    batch = {"events": events, "consent": True}
    told = client.post("/v1/events", json=batch, headers=shop.key("events"))
    assert told.json()["accepted"] == len(items), told.text


def told_of(client: httpx2.Client, one: str, other: str) -> tuple[str, int] | None:
    """What is told of the other product to who looks at the one: evidence and count."""
    asked = {"items": [{"item_id": one}], "count": 20}
    for item in client.post("/v1/recommendations", json=asked).json()["items"]:
        if item["item_id"] == other and item["source"] == "session":
            return item["reasons"][0]["evidence"], item["reasons"][0]["count"]
    return None


def wait_for(expected, look, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (seen := look()) != expected:
        assert time.monotonic() < deadline, f"still {seen} after {seconds:g} s"
        time.sleep(0.05)


def test_a_pair_is_felt_from_its_third_session_on_and_forgotten_with_it(client, shop):
    sessions = [uuid4().hex for _ in range(3)]
    for session in sessions[:2]:
        look_at(client, shop, session, ONE, OTHER)
    time.sleep(SECONDS)
    assert told_of(client, ONE, OTHER) is None

    look_at(client, shop, sessions[2], ONE, OTHER)
    wait_for(("viewed-together", 3), lambda: told_of(client, ONE, OTHER), seconds=SECONDS)

    for session in sessions:
        client.delete(f"/v1/sessions/{session}", headers=shop.key("events"))
    wait_for(None, lambda: told_of(client, ONE, OTHER), seconds=SECONDS)


def test_what_is_chosen_now_trends(client, shop):
    def first_that_trends() -> str:
        asked = {"scenario": "trending", "count": 1}
        return client.post("/v1/recommendations", json=asked).json()["items"][0]["item_id"]

    sessions = [uuid4().hex for _ in range(200)]  # more than other tests told of anything
    for session in sessions:
        look_at(client, shop, session, "honey-9")

    wait_for("honey-9", first_that_trends, seconds=SECONDS)
    for session in sessions:
        client.delete(f"/v1/sessions/{session}", headers=shop.key("events"))
