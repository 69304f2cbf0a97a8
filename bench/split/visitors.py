"""Bounded open-loop load on every public part of the shop, over connections that are kept."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx2

from bench.split.site import CONTEXTS
from tests.shops import Shop

PER_SECOND = 60.0
PATIENCE_SECONDS = 10.0
MOST_SECONDS = 900.0
ITEM_IDS = [item_id for context in CONTEXTS for item_id in context]


class Visitors:
    """Requests leave at random moments (a Poisson process), whether earlier ones were answered."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._random = random.Random(7)
        self._key = shop.key("events")
        self._run = f"{time.time_ns():x}"
        self._events = 0
        self.asked: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.meanwhile = "nothing"
        self.enough = False
        self._kinds: dict[str, Callable[[], dict[str, Any]]] = {
            "recommendations by GET": self._got,
            "recommendations by POST": self._posted,
            "events": self._told,
            "a product": self._product,
            "a search": self._search,
            "profiles": lambda: {"method": "GET", "url": f"/v1/profiles?limit={self._count()}"},
            "batch": self._batch,
        }

    async def come(self, *, at_least: int) -> None:
        """Until `enough` is set and so many came, in quarter of an hour at the most."""
        limits = httpx2.Limits(max_connections=64, max_keepalive_connections=64)
        began = due = time.monotonic()
        async with (
            httpx2.AsyncClient(
                base_url=self._shop.address, timeout=PATIENCE_SECONDS, limits=limits
            ) as client,
            asyncio.TaskGroup() as visits,
        ):
            while not (self.enough and self.asked.total() >= at_least):
                due += self._random.expovariate(PER_SECOND)
                if due - began > MOST_SECONDS:
                    break
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                visits.create_task(self._visit(client))

    async def _visit(self, client: httpx2.AsyncClient) -> None:
        kind = self._random.choice(list(self._kinds))
        self.asked[kind] += 1
        try:
            answer = await client.request(**self._kinds[kind]())
        except httpx2.HTTPError as error:
            self._note(kind, f"{type(error).__name__} {error}")
            return
        if not answer.is_success:
            self._note(kind, f"{answer.status_code} {answer.text[:200]}")
        elif kind == "batch":
            for part in answer.json()["responses"]:
                if part["status"] >= 300:
                    self._note(kind, f"part {part['id']} {part['status']} {part['body']}")
                    break

    def _note(self, kind: str, trouble: str) -> None:
        self.failed[f"{kind}, {self.meanwhile}: {trouble}"] += 1

    def _got(self) -> dict[str, Any]:
        params = {"item": self._context(), "count": self._count()}
        return {"method": "GET", "url": "/v1/recommendations", "params": params}

    def _posted(self) -> dict[str, Any]:
        return {"method": "POST", "url": "/v1/recommendations", "json": self._question()}

    def _told(self) -> dict[str, Any]:
        self._events += 1
        event = {
            "event_id": f"{self._run}-{self._events}",
            "session_id": f"{self._run}-{self._events // 3}",
            "event_type": "view",
            "item_id": self._random.choice(ITEM_IDS),
        }
        body = {"events": [event], "consent": True}
        return {"method": "POST", "url": "/v1/events", "json": body, "headers": self._key}

    def _product(self) -> dict[str, Any]:
        return {"method": "GET", "url": f"/v1/products/{self._random.choice(ITEM_IDS)}"}

    def _search(self) -> dict[str, Any]:
        word = self._random.choice(ITEM_IDS).rpartition("-")[0]
        params = {"q": word, "limit": self._count()}
        return {"method": "GET", "url": "/v1/products", "params": params}

    def _batch(self) -> dict[str, Any]:
        parts = [
            {"id": "next", "method": "POST", "path": "/v1/recommendations"}
            | {"body": self._question()},
            {"id": "seen", "path": f"/v1/products/{self._random.choice(ITEM_IDS)}"},
            {"id": "tastes", "path": "/v1/profiles?limit=2"},
        ]
        return {"method": "POST", "url": "/v1/batch", "json": {"requests": parts}}

    def _question(self) -> dict[str, Any]:
        return {"items": [{"item_id": item_id} for item_id in self._context()]}

    def _context(self) -> list[str]:
        return self._random.sample(ITEM_IDS, self._random.randint(1, 4))

    def _count(self) -> int:
        return self._random.randint(1, 24)
