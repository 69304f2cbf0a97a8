"""What a request costs each component: processor seconds of the split system under a stated mix.

One process of every role on private servers, behind NGINX with the routes of deploy/nginx; the mix
is MIX, at RATE requests a second, open loop. What a component uses when nothing is asked of it is
measured first and taken off. Processor time does not depend on what else the machine does as
elapsed time does, but is not free of it: look at the ratios. MongoDB's place is taken by a server
of its wire protocol (SecantusDB).
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx2
import psutil

from runtime.local.processes import Processes, start_split
from tests import debian, market
from tests.shops import Shop, selling

MIX = {"recommend": 0.8, "products": 0.1, "profiles": 0.02, "events": 0.08}
BATCH = 5  # events
RATE = 120.0
SECONDS = 60.0
IDLE_SECONDS = 20.0
STORES = {
    "postgresql": "MULTIRECO_DATABASE_URL",
    "redis": "MULTIRECO_REDIS_URL",
    "rabbitmq": "MULTIRECO_BROKER_URL",
    "mongodb": "MULTIRECO_MONGODB_URL",
}
ITEMS = [
    market.item_id(category, number)
    for meal in market.MEALS
    for category in meal
    for number in range(1, market.KINDS + 1)
]


def measure_full() -> dict[str, float]:
    """Milliseconds of processor time a request of the mix, and per component."""
    with _site() as (shop, roots):
        client_headers = shop.key("events")
        asyncio.run(_load(shop.address, client_headers, seconds=10))  # warm
        idle = _used(roots, lambda: time.sleep(IDLE_SECONDS))
        asked: list[int] = []
        busy = _used(
            roots,
            lambda: asked.extend(asyncio.run(_load(shop.address, client_headers, SECONDS))),
        )
    requests, failed = asked
    told = {"scaling.requests": float(requests), "scaling.failed": float(failed)}
    for name, seconds in busy.items():
        spent = seconds - idle[name] * SECONDS / IDLE_SECONDS
        told[f"scaling.{name}.cpu_ms"] = round(1000 * spent / requests, 4)
        told[f"scaling.{name}.idle_cores"] = round(idle[name] / IDLE_SECONDS, 4)
    return told


@contextmanager
def _site() -> Iterator[tuple[Shop, dict[str, int]]]:
    """The shop at its gateway, and the first process of every component."""
    started: list[Processes] = []

    def start(processes: Processes, *, port: int) -> Mapping[str, int]:
        started.append(processes)
        return start_split(processes, port=port)

    with TemporaryDirectory(prefix="multireco-scaling-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        with debian.running(folder) as given, selling(given, folder, start) as shop:
            ports = {role: f"127.0.0.1:{port}" for role, port in shop.ports.items()}
            with debian.gateway(folder / "nginx", ports) as address:
                roots = {name: role.child.pid for name, role in started[0].running.items()}
                roots["gateway"] = _listener(address)
                roots |= {name: _listener(given[variable]) for name, variable in STORES.items()}
                yield shop._replace(address=address), roots


def _listener(address: str) -> int:
    """The process that listens there: the eldest, where several share the port."""
    port = urlsplit(address).port
    found = {
        each.pid
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr.port == port and each.pid
    }
    return min(found, key=lambda pid: psutil.Process(pid).create_time())


def _used(roots: Mapping[str, int], during: Callable[[], object]) -> dict[str, float]:
    before = {name: _spent(pid) for name, pid in roots.items()}
    during()
    return {name: _spent(pid) - before[name] for name, pid in roots.items()}


def _spent(pid: int) -> float:
    """Processor seconds of a process and of those it started, also of those that have ended."""
    root = psutil.Process(pid)
    times = [each.cpu_times() for each in (root, *root.children(recursive=True))]
    return float(sum(t.user + t.system + t.children_user + t.children_system for t in times))


async def _load(address: str, headers: Mapping[str, str], seconds: float) -> tuple[int, int]:
    """Requests that were sent, and those that failed."""
    chance = random.Random(20_261_130)
    limits = httpx2.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx2.AsyncClient(base_url=address, headers=headers, limits=limits) as client:
        sent = []
        due = began = time.monotonic()
        while due - began < seconds:
            due += chance.expovariate(RATE)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            sent.append(asyncio.create_task(_ask(client, chance)))
        answers = await asyncio.gather(*sent, return_exceptions=True)
    return len(answers), _failed(answers)


def _failed(answers: Iterable[object]) -> int:
    return sum(not isinstance(answer, int) or answer >= 400 for answer in answers)


async def _ask(client: httpx2.AsyncClient, chance: random.Random) -> int:
    (kind,) = chance.choices(list(MIX), list(MIX.values()))
    items = chance.sample(ITEMS, chance.randint(1, 5))
    if kind == "recommend":
        body = {"items": [{"item_id": item} for item in items], "count": 12}
        answer = await client.post("/v1/recommendations", json=body)
    elif kind == "products":
        answer = await client.get(f"/v1/products/{items[0]}")
    elif kind == "profiles":
        answer = await client.get(f"/v1/preferences/{items[0]}")
    else:
        answer = await client.post("/v1/events", json=_batch(items, chance))
    return answer.status_code


def _batch(items: list[str], chance: random.Random) -> dict[str, object]:
    events = [
        {
            "event_id": f"{chance.getrandbits(96):024x}",
            "session_id": f"visit-{chance.getrandbits(32):08x}",
            "item_id": chance.choice(items),
            "event_type": "view",
        }
        for _ in range(BATCH)
    ]
    return {"events": events, "consent": True}
