"""How long it takes until everything is as before: ready, told, stored, shown."""

import time
from collections.abc import Callable, Collection
from contextlib import closing, suppress
from typing import Any

import httpx2
import psycopg2

from bench.drills.site import Site
from reco_app.events.anonymity import event_digest
from runtime.local.processes import address_of

MOST_SECONDS = 60.0
LOOK_SECONDS = 0.1
# What goes with mustard 4 is rolls 4.
SHOWN = {"items": [{"item_id": "mustard-4", "event_type": "add-to-cart"}], "scenario": "basket"}
CHANGED = "rolls-4"


def wait(site: Site) -> tuple[float, dict[str, float]]:
    """Seconds from now until all is as before; and when each part of it was.

    A product that is changed now must be seen in the catalogue and in the answers of both
    processes, an event that is sent now must be stored, every process must say that it is ready.
    """
    began = time.monotonic()
    price, name = f"{time.time_ns() % 90_000 / 100 + 10:.2f}", f"after-{time.time_ns():x}"
    steps: dict[str, Callable[[], bool]] = {
        "alive": lambda: all(server.running() for server in site.processes.running.values()),
        "ready": site.ready,
        "changed": _once(lambda: _change(site, price)),
        "event acknowledged": _once(lambda: _tell(site, name)),
        "event stored": lambda: bool(stored(site, [name])),
        "change listed": lambda: _listed(site) == price,
        "change recommended": lambda: set(_recommended(site)) == {price},
    }
    seen: dict[str, float] = {}
    while len(seen) < len(steps) and time.monotonic() - began < MOST_SECONDS:
        for step in steps.keys() - seen.keys():
            with suppress(httpx2.HTTPError, psycopg2.OperationalError, KeyError):
                if steps[step]():
                    seen[step] = time.monotonic() - began
        time.sleep(LOOK_SECONDS)
    return (max(seen.values()) if len(seen) == len(steps) else MOST_SECONDS), seen


def stored(site: Site, names: Collection[str]) -> dict[str, int]:
    """How often each of these events is in PostgreSQL, of those that are."""
    key = site.secret.encode()[:64]
    digests = {event_digest(name, key=key): name for name in names}
    with closing(psycopg2.connect(site.shop.environment["MULTIRECO_DATABASE_URL"])) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "SELECT replace(event_id::text, '-', ''), count(*) FROM events_event"
            " WHERE event_id = ANY(%s::uuid[]) GROUP BY 1",
            [list(digests)],
        )
        return {digests[digest]: int(count) for digest, count in cursor.fetchall()}


def _once(act: Callable[[], bool]) -> Callable[[], bool]:
    done: list[bool] = []

    def step() -> bool:
        if not done and act():
            done.append(True)
        return bool(done)

    return step


def _change(site: Site, price: str) -> bool:
    row = f'{{"id": "{CHANGED}", "price": "{price}"}}'
    headers = site.shop.key("import") | {"Content-Type": "application/x-ndjson"}
    answer = httpx2.post(
        f"{site.gateway}/v1/imports/products", content=row, headers=headers, timeout=10
    )
    return answer.status_code == 200 and not answer.json()["rejected"]


def _tell(site: Site, name: str) -> bool:
    event = {"event_id": name, "event_type": "view", "item_id": CHANGED}
    body, headers = {"events": [event]}, site.shop.key("events")
    answer = httpx2.post(f"{site.gateway}/v1/events", json=body, headers=headers, timeout=10)
    return answer.status_code == 202


def _listed(site: Site) -> Any:
    answer = httpx2.get(f"{site.gateway}/v1/products/{CHANGED}", timeout=5)
    return answer.json().get("price")


def _recommended(site: Site) -> list[Any]:
    prices = []
    for name in ("reco", "reco-2"):
        address = address_of(site.shop.ports[name])
        answer = httpx2.post(f"{address}/v1/recommendations", json=SHOWN, timeout=5).json()
        cards = {item["item_id"]: item["product"] for item in answer["items"]}
        prices.append(cards[CHANGED]["price"])
    return prices
