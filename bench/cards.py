"""How reco may read cards from catalog: JSON, msgpack or gRPC, compared in one run.

    .venv/bin/uv pip install --target build/grpc grpcio
    PYTHONPATH=build/grpc .venv/bin/python -m bench.cards

The same cards of the groceries, from memory, in a process a transport; asked one after the other
over one connection, the transports in turns. JSON and msgpack travel over HTTP/1.1 by the client
that reco uses; `bare` is the JSON server asked over a plain socket, to tell what that client
costs; `catalog` is the product's own process with its store behind it, asked as `json` is.
Processor time is that of a request, both processes, in microseconds.
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import grpc
import httpx2
import msgspec
import numpy as np
import psutil

from bench import cards_wire
from bench.load import request
from runtime import keys, transports
from runtime.local import groceries, stores
from runtime.local.processes import ROOT, Processes, address_of, wait_until_ready
from runtime.local.servers import accepts, free_port

PRODUCTS = 2000
BATCHES = {12: 200, 200: 50}  # cards → requests in a round
ROUNDS = 5
SECRET = "only-for-measurements-" + "x" * 40
TRANSPORTS = ("json", "msgpack", "grpc")
PATH = "/v1/products:batch"
Ask = Callable[[list[str]], Awaitable[int]]


class Answer(msgspec.Struct):
    products: list[cards_wire.Card]


class Asked(NamedTuple):
    """Seconds that each request took, and processor seconds of client and server in all."""

    waited: list[float]
    client: float
    server: float


def measure() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="multireco-cards-") as made:
        Path(made).chmod(0o755)
        feed = groceries.write(Path(made) / "feed", now=datetime.now(UTC)).products
        with _serving(feed) as running, _catalog(Path(made), feed) as catalog:
            servers = {**running, "bare": running["json"], "catalog": catalog}
            ids = [each["id"] for each in cards_wire.given(feed, PRODUCTS)]
            return asyncio.run(_compare(servers, ids))


async def _compare(
    servers: Mapping[str, tuple[int, psutil.Process]], ids: list[str]
) -> dict[str, float]:
    asks = {name: await _asker(name, port) for name, (port, _) in servers.items()}
    figures: dict[str, float] = {}
    for size, requests in BATCHES.items():
        rounds: dict[str, list[Asked]] = {name: [] for name in asks}
        for turn in range(ROUNDS + 1):  # the first one warms up
            for name, ask in asks.items():
                wanted = [random.sample(ids, size) for _ in range(requests)]
                asked = await _round(ask, wanted, servers[name][1])
                if turn:
                    rounds[name].append(asked)
        for name, each in rounds.items():
            waited = np.concatenate([asked.waited for asked in each]) * 1e6
            total = len(waited) / 1e6
            figures |= {
                f"cards.{name}.{size}.p50_us": float(np.percentile(waited, 50)),
                f"cards.{name}.{size}.p99_us": float(np.percentile(waited, 99)),
                f"cards.{name}.{size}.client_us": sum(asked.client for asked in each) / total,
                f"cards.{name}.{size}.server_us": sum(asked.server for asked in each) / total,
                f"cards.{name}.{size}.bytes": await asks[name](ids[:size]),
            }
    return figures


async def _round(ask: Ask, wanted: list[list[str]], server: psutil.Process) -> Asked:
    waited = []
    before, busy = server.cpu_times(), time.process_time()
    for ids in wanted:
        began = time.perf_counter()
        await ask(ids)
        waited.append(time.perf_counter() - began)
    after = server.cpu_times()
    worked = after.user + after.system - before.user - before.system
    return Asked(waited, time.process_time() - busy, worked)


async def _asker(name: str, port: int) -> Ask:
    """What asks for cards and has them as dictionaries; it returns the bytes of the answer."""
    if name == "grpc":
        return _grpc(port)
    if name == "bare":
        return await _bare(port)
    decode = msgspec.msgpack.decode if name == "msgpack" else msgspec.json.decode
    client = transports.client(name, address_of(port))
    headers = {"Content-Type": "application/json"}

    async def ask(ids: list[str]) -> int:
        body = msgspec.json.encode({"ids": ids})
        answer = await client.post(PATH, content=body, headers=headers)
        assert len(decode(answer.content, type=Answer).products) == len(ids)
        return len(answer.content)

    return ask


def _grpc(port: int) -> Ask:
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
    batch = channel.unary_unary(
        cards_wire.METHOD,
        request_serializer=cards_wire.Ids.SerializeToString,
        response_deserializer=cards_wire.Batch.FromString,
    )

    async def ask(ids: list[str]) -> int:
        answer = await batch(cards_wire.Ids(ids=ids))
        assert len(cards_wire.from_message(answer)) == len(ids)
        return int(answer.ByteSize())

    return ask


async def _bare(port: int) -> Ask:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask(ids: list[str]) -> int:
        writer.write(request(f"{address_of(port)}{PATH}", msgspec.json.encode({"ids": ids})))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        assert len(msgspec.json.decode(body, type=Answer).products) == len(ids)
        return length

    return ask


@contextmanager
def _serving(feed: Path) -> Iterator[dict[str, tuple[int, psutil.Process]]]:
    """A server a transport, by its port and process."""
    started: dict[str, tuple[int, psutil.Process]] = {}
    children = []
    try:
        for name in TRANSPORTS:
            port = free_port()
            command = [sys.executable, "-m", "bench.cards_wire", name, str(port), str(feed)]
            child = subprocess.Popen([*command, str(PRODUCTS)], cwd=ROOT)
            children.append(child)
            started[name] = (port, psutil.Process(child.pid))
        while not all(accepts(port) for port, _ in started.values()):
            time.sleep(0.1)
        yield started
    finally:
        for child in children:
            child.terminate()
            child.wait()


@contextmanager
def _catalog(folder: Path, feed: Path) -> Iterator[tuple[int, psutil.Process]]:
    """The product's catalog with these products, on the server of MongoDB's wire protocol."""
    store, url = stores.mongodb(folder / "mongodb")
    environment = {"MULTIRECO_MONGODB_URL": url, "MULTIRECO_SECRET_KEY": SECRET}
    port = free_port()
    try:
        with Processes(environment, folder / "logs") as processes:
            started = processes.start("catalog", port=port)
            wait_until_ready(processes)
            _fill(address_of(port), cards_wire.given(feed, PRODUCTS))
            yield port, psutil.Process(started.child.pid)
    finally:
        store.stop()


def _fill(address: str, products: list[cards_wire.Card]) -> None:
    key = keys.issue(key_id="bench", scopes=["internal"], secret=SECRET)
    headers = {"Authorization": f"Bearer {key}"}
    for start in range(0, len(products), 500):
        batch = {"products": products[start : start + 500]}
        url = f"{address}/internal/catalog/v1/products"
        httpx2.put(url, json=batch, headers=headers, timeout=60).raise_for_status()


if __name__ == "__main__":
    os.environ.setdefault("MULTIRECO_SECRET_KEY", SECRET)
    for name, value in measure().items():
        sys.stdout.write(f"{name:32} {value:12,.0f}\n")
