"""Intake of events: one process on one core, batches of 20, through RabbitMQ's quorum queue.

    python -m bench.intake [SECONDS]

prints the figures as JSON: how fast events are acknowledged, how long a batch waits for that, how
fast one worker stores them, and whether each acknowledged event is stored, and once. They come
from a shop's backend, with its key: of one network as many would be set aside.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psycopg2

from reco_app.events.anonymity import event_digest
from runtime import keys
from runtime.local import stores
from runtime.local.processes import ROOT, Processes, address_of, wait_until_ready
from runtime.local.servers import free_port
from tests import debian

SECRET = "only-for-measurements-" + "x" * 40
BATCH, CONNECTIONS, PRODUCTS = 20, 16, 200
KEY = keys.issue(key_id="intake", scopes=("events",), secret=SECRET)
SECONDS = 10
MOST_SECONDS = 300  # until everything is stored


def main() -> None:
    seconds = int(sys.argv[1]) if sys.argv[1:] else SECONDS
    sys.stdout.write(json.dumps(measure(seconds), indent=1) + "\n")


def measure(seconds: int = SECONDS) -> dict[str, float]:
    """Figures by their names; the server has core 0 to itself, as far as this machine lets it."""
    with tempfile.TemporaryDirectory(prefix="multireco-intake-") as made, _shop(Path(made)) as shop:
        port = free_port()
        with Processes(shop, Path(made) / "logs") as processes:
            web = processes.start("reco", port=port)
            wait_until_ready(processes)
            _keep_to(web.child.pid, {0})
            warmed_up = len(asyncio.run(_load(address_of(port), seconds=5))[0])
            before = _rows(shop["MULTIRECO_DATABASE_URL"])[0]
            acknowledged, waited = asyncio.run(_load(address_of(port), seconds=seconds))
            queued = before + len(acknowledged) - _rows(shop["MULTIRECO_DATABASE_URL"])[0]
            wanted = warmed_up + len(acknowledged)
            processes.start("worker")
            rate = _storing_rate(shop["MULTIRECO_DATABASE_URL"], wanted)
        rows, names = _rows(shop["MULTIRECO_DATABASE_URL"])
        stored = _stored(shop["MULTIRECO_DATABASE_URL"])
    return {
        "intake.events_per_second": round(len(acknowledged) / seconds),
        "intake.p50_ms": round(float(np.percentile(waited, 50)) * 1000, 1),
        "intake.p99_ms": round(float(np.percentile(waited, 99)) * 1000, 1),
        "intake.through_the_queue_percent": round(100 * queued / len(acknowledged), 1),
        "intake.stored_per_second": round(rate),
        "intake.events_lost": len(acknowledged - stored),
        "intake.events_twice": rows - names,
    }


@contextmanager
def _shop(folder: Path) -> Iterator[dict[str, str]]:
    """The settings of a shop that has products, on PostgreSQL, Valkey and RabbitMQ of its own."""
    folder.chmod(0o755)
    unused = {"MULTIRECO_MONGODB_URL": "mongodb://127.0.0.1:1/"}
    with (
        debian.rabbitmq(folder / "rabbitmq") as broker,
        stores.embedded(folder, given=unused) as addresses,
    ):
        environment = {
            **addresses,
            "MULTIRECO_BROKER_URL": broker,
            "MULTIRECO_SECRET_KEY": SECRET,
            "MULTIRECO_MODEL_DIR": str(folder / "models"),
        }
        feed = folder / "products.jsonl"
        feed.write_text("".join(map(product_line, range(PRODUCTS))))
        run(environment, "/bin/sh", "deploy/entrypoint.sh", "migrate")
        run(environment, sys.executable, "manage.py", "import_products", str(feed))
        yield environment


def product_line(number: int) -> str:
    """One of many products, as a line of a feed."""
    known = {"id": f"p{number}", "title": f"Product {number}", "price": "1.00", "currency": "USD"}
    return json.dumps(known | {"categories": ["Measured"]}) + "\n"


def run(environment: Mapping[str, str], *command: str) -> None:
    """Run a command of the product to its end. Raises CalledProcessError."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    whole = {**os.environ, **environment, "PATH": path}
    subprocess.run(command, env=whole, cwd=ROOT, check=True, stdout=sys.stderr)


def _keep_to(pid: int, cores: set[int]) -> None:
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), cores)


async def _load(url: str, *, seconds: float) -> tuple[set[str], list[float]]:
    """Post batch after batch; the names of the acknowledged events, and the seconds of each."""
    until = time.perf_counter() + seconds
    acknowledged: set[str] = set()
    waited: list[float] = []
    numbers = count(time.monotonic_ns())
    await asyncio.gather(
        *(_post(url, until, numbers, acknowledged, waited) for _ in range(CONNECTIONS))
    )
    return acknowledged, waited


async def _post(
    url: str, until: float, numbers: "count[int]", acknowledged: set[str], waited: list[float]
) -> None:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    while (began := time.perf_counter()) < until:
        names = [f"01J{next(numbers):023}" for _ in range(BATCH)]
        body = json.dumps({"events": [_event(name) for name in names], "consent": True}).encode()
        head = (
            f"POST /v1/events HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {KEY}\r\n"
            "Content-Type: application/json"
        )
        writer.write(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        said = await reader.readuntil(b"\r\n\r\n")
        length = int(said.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        answer: dict[str, Any] = json.loads(await reader.readexactly(length))
        if said.split()[1] != b"202" or answer["accepted"] != BATCH:
            raise RuntimeError(f"not acknowledged: {said!r} {answer}")
        waited.append(time.perf_counter() - began)
        acknowledged.update(event_digest(name, key=SECRET.encode()[:64]) for name in names)
    writer.close()


def _event(name: str) -> dict[str, object]:
    session, product = int(name[3:]) // 7, int(name[3:]) % PRODUCTS
    seen = {"event_type": "view", "item_id": f"p{product}", "quantity": 1, "price": "1.00"}
    return {"event_id": name, "session_id": f"session-{session}", **seen}


def _storing_rate(database_url: str, wanted: int) -> float:
    """Events a second, from the first that the worker stores until there are `wanted`."""
    at_start, began = _rows(database_url)[0], time.monotonic()
    while (rows := _rows(database_url)[0]) < wanted:
        if rows == at_start:
            began = time.monotonic()
        if time.monotonic() > began + MOST_SECONDS:
            raise TimeoutError(f"{rows} of {wanted} events were stored")
        time.sleep(0.2)
    return (rows - at_start) / (time.monotonic() - began)


def _stored(database_url: str) -> set[str]:
    found = _ask(database_url, "SELECT event_id::text FROM events_event")
    return {name.replace("-", "") for (name,) in found}


def _rows(database_url: str) -> tuple[int, int]:
    [(rows, names)] = _ask(
        database_url, "SELECT count(*), count(DISTINCT event_id) FROM events_event"
    )
    return rows, names


def _ask(database_url: str, query: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(database_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()
    finally:
        connection.close()


if __name__ == "__main__":
    main()
