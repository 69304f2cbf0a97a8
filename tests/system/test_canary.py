"""Marked visitors go through everything, and nothing of them is found anywhere afterwards."""

import time
from pathlib import Path

import httpx2
import psycopg2
import pytest
import redis

from tests.shops import Shop

ADDRESS, AGENT, PAGE = "198.51.100.77", "CanaryBrowser/9.9", "https://canary.example/hidden-page"
SESSION, EVENT_NAME, WORDS = "canary-session-id", "canary-event-name", "canary words"
MARKS = (ADDRESS, AGENT, "canary.example", SESSION, EVENT_NAME, "canary words", "canary+words")
HEADERS = {"X-Forwarded-For": ADDRESS, "User-Agent": AGENT, "Referer": PAGE}


@pytest.fixture
def item_id(split: Shop) -> str:
    listed = httpx2.get(split.url("/v1/products"), params={"limit": 1}).json()
    return str(listed["products"][0]["id"])


@pytest.fixture
def visited(split: Shop, item_id: str) -> Shop:
    """A marked visitor asks for everything, is refused some of it, and sends events."""
    with httpx2.Client(base_url=split.address, headers=HEADERS, timeout=30) as visitor:
        asked = {"items": [{"item_id": item_id}], "session_id": SESSION, "consent": True}
        answer = visitor.post("/v1/recommendations", json=asked).json()
        visitor.post("/v1/recommendations", json=asked | {"filter": {"brand": [WORDS]}})
        visitor.get("/v1/recommendations", params={"item": item_id, "category": WORDS})
        visitor.get("/v1/products", params={"q": WORDS})
        visitor.get(f"/shop/?ref={WORDS}")
        visitor.get("/nowhere", params={"q": WORDS})
        visitor.post("/v1/events", content=f"{{not json {WORDS}")
        visitor.post(
            "/v1/batch", json={"requests": [{"id": WORDS, "path": "/v1/products?limit=1"}]}
        )
        events = [_event(item_id, number, answer["recommendation_id"]) for number in range(40)]
        events.append(_event(item_id, 40, "forged.id") | {"event_type": "canary words"})
        told = visitor.post("/v1/events", json={"events": events, "consent": True})
        assert (told.status_code, told.json()["accepted"]) == (202, 40)
        _wait_until_stored(split, 40)
        assert visitor.delete(f"/v1/sessions/{SESSION}-1").status_code == 204
    return split


def _event(item_id: str, number: int, recommendation_id: str) -> dict[str, object]:
    return {
        "event_id": f"{EVENT_NAME}-{number}",
        "session_id": f"{SESSION}-{number}",
        "event_type": "click",
        "item_id": item_id,
        "recommendation_id": recommendation_id,
        "position": 1,
    }


@pytest.mark.debian
@pytest.mark.timeout(900)
def test_no_address_agent_referrer_or_word_of_a_visitor_is_kept_anywhere(
    visited: Shop, item_id: str
) -> None:
    stores = visited.logs.parent  # files of PostgreSQL, RabbitMQ and MongoDB, releases and logs

    found = {mark for mark in MARKS if _in_files(stores, mark.encode())}
    found |= {mark for mark in MARKS if mark.encode() in _in_redis(visited)}
    found |= {mark for mark in MARKS if mark in _in_metrics(visited)}

    assert found == set()
    assert _in_files(stores, item_id.encode())  # so they can be read, and would be found


def _in_files(folder: Path, mark: bytes) -> bool:
    return any(mark in file.read_bytes() for file in folder.rglob("*") if file.is_file())


def _in_redis(shop: Shop) -> bytes:
    client = redis.Redis.from_url(shop.environment["MULTIRECO_REDIS_URL"])
    keys = list(client.scan_iter())
    return b"\n".join([*keys, *(client.dump(key) or b"" for key in keys)])


def _in_metrics(shop: Shop) -> str:
    ports = set(shop.ports.values())
    return "\n".join(httpx2.get(f"http://127.0.0.1:{port}/metrics").text for port in ports)


def _wait_until_stored(shop: Shop, count: int) -> None:
    """The flood of one network lies in the quarantine, but for what the cap let through."""
    connection = psycopg2.connect(shop.environment["MULTIRECO_DATABASE_URL"])
    deadline = time.monotonic() + 60
    with connection, connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM events_quarantinedevent")
            if cursor.fetchone()[0] >= count:
                return
            time.sleep(0.2)
            connection.commit()
    raise TimeoutError("the events were not stored")
