"""python -m bench.drills.load GATEWAY KEY PROFILE TOLD: bounded open-loop load until stdin ends.

Recommendations and batches of events leave at random moments (a Poisson process), whether earlier
ones were answered or not; what an answer took counts from when its request was due. A batch that
was not acknowledged is sent again, as the shop's widget does. What came of all of it is written
to the file TOLD as JSON.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2

from bench.drills import checks
from bench.drills.checks import Asked
from tests import market

RECOMMENDATIONS_PER_SECOND = 80.0
BATCHES_PER_SECOND = 8.0
BATCH = 5
SESSION_EVENTS = 10
PATIENCE_SECONDS = 5.0
AGAIN_SECONDS = 1.0
TRIES = 30
HIDDEN, SOLD_OUT = "pasta-1", "coffee-1"
NEVER = (HIDDEN, SOLD_OUT)
CATEGORY = "Grocery"
MEALS = [
    [item_id for category in meal if (item_id := market.item_id(category, number)) not in NEVER]
    for meal in market.MEALS
    for number in range(1, market.KINDS + 1)
]
ITEM_IDS = [item_id for meal in MEALS for item_id in meal]


class Load:
    """What is asked of one gateway, and what came of it. Times are those of the monotonic clock."""

    def __init__(self, client: httpx2.AsyncClient, *, key: str, profile: str, noise: float) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}"}
        self._profile = profile
        self._noise = noise  # the share of batches that come again, and late
        self._random = random.Random(time.time_ns())
        self._run = f"{time.time_ns():x}"
        self._batches = 0
        self.answers: list[tuple[float, float, str, bool]] = []
        self.acknowledged: dict[str, float] = {}
        self.refused: list[float] = []
        self.sent: list[str] = []

    async def ask(self, due: float) -> None:
        """One recommendation; a fifth are asked with GET, as pages do."""
        asked, request = self._request()
        try:
            answer = await self._client.send(request)
        except httpx2.HTTPError as error:
            told, degraded = type(error).__name__, False
        else:
            told = checks.trouble(answer.status_code, answer.content, asked, never=NEVER)
            degraded = not told and checks.degraded(answer.content)
        self.answers.append((due, time.monotonic() - due, told, degraded))

    async def tell(self, due: float) -> None:
        """One batch of events; sent again until it is acknowledged."""
        self._batches += 1
        names = [f"{self._run}-{self._batches}-{number}" for number in range(BATCH)]
        self.sent.extend(names)
        body = {"events": [self._event(name) for name in names], "consent": True}
        for _ in range(TRIES):
            if await self._acknowledged(body):
                break
            self.refused.append(time.monotonic())
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return
        self.acknowledged.update(dict.fromkeys(names, due))
        if self._random.random() < self._noise:
            await asyncio.sleep(self._random.uniform(0, 3))
            body["events"] = [self._event(name) for name in reversed(names)]
            await self._acknowledged(body)

    async def _acknowledged(self, body: dict[str, Any]) -> bool:
        try:
            answer = await self._client.post("/v1/events", json=body, headers=self._headers)
        except httpx2.HTTPError:
            return False
        if answer.status_code != 202:
            return False
        told = answer.json()
        if told["rejected"] or told["accepted"] + told["duplicates"] != BATCH:
            raise RuntimeError(f"not all of the events were taken: {told}")
        return True

    def _event(self, name: str) -> dict[str, object]:
        """A session looks at one meal, as the shop's people do: what is trained on it is good."""
        session = self._batches * BATCH // SESSION_EVENTS
        item_id = self._random.choice(MEALS[session % len(MEALS)])
        return {
            "event_id": name,
            "session_id": f"{self._run}-{session}",
            "event_type": "view",
            "item_id": item_id,
        }

    def _request(self) -> tuple[Asked, httpx2.Request]:
        context = self._random.sample(ITEM_IDS, self._random.randint(1, 4))
        kind = self._random.randrange(5)
        if kind == 0:
            asked = Asked(frozenset(context), 12, "")
            return asked, self._client.build_request(
                "GET", "/v1/recommendations", params={"item": context, "count": "12"}
            )
        count = self._random.choice((6, 12, 24))
        body: dict[str, Any] = {"items": [{"item_id": one} for one in context], "count": count}
        category = ""
        if kind == 1:
            body |= {"scenario": "basket"}
        if kind == 2:
            body |= {"profile": self._profile}
        if kind == 3:
            category = CATEGORY
            body |= {"filter": {"category": [category]}, "diversity": 0.3}
        asked = Asked(frozenset(context), count, category)
        return asked, self._client.build_request("POST", "/v1/recommendations", json=body)


async def drive(
    load: Load,
    stopped: asyncio.Event,
    *,
    recommendations_per_second: float = RECOMMENDATIONS_PER_SECOND,
) -> None:
    """Ask and tell until it is stopped, then wait for what is on its way."""
    async with asyncio.TaskGroup() as group:
        for act, rate in (
            (load.ask, recommendations_per_second),
            (load.tell, BATCHES_PER_SECOND),
        ):
            group.create_task(_arrivals(group, act, rate, stopped))


async def _arrivals(
    group: asyncio.TaskGroup,
    act: Callable[[float], Awaitable[None]],
    rate: float,
    stopped: asyncio.Event,
) -> None:
    due = time.monotonic()
    while not stopped.is_set():
        due += random.expovariate(rate)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        group.create_task(act(due))  # type: ignore[arg-type]


def client(gateway: str) -> httpx2.AsyncClient:
    """For as many connections as are needed."""
    limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)
    return httpx2.AsyncClient(
        base_url=gateway, timeout=PATIENCE_SECONDS, limits=limits, trust_env=False
    )


async def main(gateway: str, key: str, profile: str, noise: str, told: str) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, lambda: (loop.remove_reader(sys.stdin), stopped.set()))
    async with client(gateway) as asking:
        load = Load(asking, key=key, profile=profile, noise=float(noise))
        await drive(load, stopped)
    record = {name: getattr(load, name) for name in ("answers", "acknowledged", "refused", "sent")}
    Path(told).write_text(json.dumps(record))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
