"""What an emptied Redis costs: `python -m bench.cache_flush`.

Two catalogue processes have shown the same products, so that Redis holds them; it is emptied, and
both are asked for all of them again, many times at once. Counted is how often each process reads
one of them in the store: once is what it must cost, more would be a stampede.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import redis

from runtime import keys
from runtime.local import stores
from runtime.local.processes import Processes, address_of, wait_until_ready
from runtime.local.servers import free_port

SECRET = "only-for-measurements-" + "x" * 40
PRODUCTS, TIMES, CONNECTIONS = 200, 10, 32
AT_ONCE = 50
PATIENCE_SECONDS = 180
COUNTED = 'multireco_computations_total{kind="product"} '


def main() -> None:
    sys.stdout.write(json.dumps(measure(), indent=1) + "\n")


def measure() -> dict[str, float]:
    """Figures by their names; of computations, those of the process that had most."""
    with (
        tempfile.TemporaryDirectory(prefix="multireco-flush-") as made,
        _catalogues(Path(made)) as (addresses, redis_url),
    ):
        return asyncio.run(_measured(addresses, redis_url))


@contextmanager
def _catalogues(folder: Path) -> Iterator[tuple[list[str], str]]:
    nowhere = "postgresql://none@127.0.0.1/none"  # no part of the catalogue
    given = dict.fromkeys(("MULTIRECO_DATABASE_URL", "MULTIRECO_PROFILE_DATABASE_URL"), nowhere)
    with ExitStack() as stack:
        environment = stack.enter_context(stores.embedded(folder, given=given))
        environment["MULTIRECO_SECRET_KEY"] = SECRET
        addresses = []
        for name in ("one", "two"):
            processes = stack.enter_context(Processes(environment, folder / name))
            port = free_port()
            processes.start("catalog", port=port)
            wait_until_ready(processes, PATIENCE_SECONDS)
            addresses.append(address_of(port))
        yield addresses, environment["MULTIRECO_REDIS_URL"]


async def _measured(addresses: list[str], redis_url: str) -> dict[str, float]:
    limits = httpx2.Limits(max_connections=CONNECTIONS)
    async with httpx2.AsyncClient(timeout=httpx2.Timeout(60, pool=None), limits=limits) as client:
        await _fill(client, addresses)
        for address in addresses:
            for first in range(0, PRODUCTS, AT_ONCE):
                ids = [f"p{number}" for number in range(first, first + AT_ONCE)]
                await client.post(f"{address}/v1/products:batch", json={"ids": ids})
        warm = [await _computations(client, address) for address in addresses]
        with redis.Redis.from_url(redis_url) as store:
            store.flushall()
        failed = await asyncio.gather(*(_read(client, address) for address in addresses))
        flushed = [await _computations(client, address) for address in addresses]
    made = [after - before for before, after in zip(warm, flushed, strict=True)]
    return {
        "cache_flush.computations_per_key": max(made) / PRODUCTS,
        "cache_flush.answers_failed": sum(failed),
    }


async def _fill(client: httpx2.AsyncClient, addresses: list[str]) -> None:
    """Until both processes know all products."""
    key = keys.issue(key_id="bench", scopes=("internal",), secret=SECRET)
    deadline = time.monotonic() + PATIENCE_SECONDS
    for first in range(0, PRODUCTS, AT_ONCE):
        products = [_product(number) for number in range(first, first + AT_ONCE)]
        while not (
            await client.put(
                f"{addresses[0]}/internal/catalog/v1/products",
                json={"products": products},
                headers={"Authorization": f"Bearer {key}"},
            )
        ).is_success:
            await _again_before(deadline)
    for address in addresses:
        while await _shown(client, address) < PRODUCTS:
            await _again_before(deadline)


async def _shown(client: httpx2.AsyncClient, address: str) -> int:
    answer = await client.get(f"{address}/v1/products?limit=1")
    return int(answer.json()["total"]) if answer.is_success else 0


async def _again_before(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError("the catalogues do not show all products")
    await asyncio.sleep(0.1)


async def _read(client: httpx2.AsyncClient, address: str) -> int:
    """Each product TIMES, mixed; how many answers were not good."""
    numbers = [*range(PRODUCTS)] * TIMES
    random.Random(0).shuffle(numbers)
    answers = await asyncio.gather(
        *(client.get(f"{address}/v1/products/p{number}") for number in numbers)
    )
    failed = [answer for answer in answers if not answer.is_success]
    for answer in failed:
        sys.stderr.write(f"{answer.status_code} after {answer.elapsed}: {answer.text}\n")
    return len(failed)


async def _computations(client: httpx2.AsyncClient, address: str) -> float:
    told = (await client.get(f"{address}/metrics")).text.splitlines()
    return sum(float(line.removeprefix(COUNTED)) for line in told if line.startswith(COUNTED))


def _product(number: int) -> dict[str, object]:
    moment = "2026-01-01T00:00:00+00:00"
    return {
        "id": f"p{number}",
        "version": 1,
        "title": f"Product {number}",
        "description": "",
        "brand": "",
        "categories": ["Home"],
        "price": "2.50",
        "sale_price": None,
        "currency": "GBP",
        "availability": "in_stock",
        "image_url": "",
        "url": "",
        "attributes": {},
        "tags": [],
        "item_group_id": "",
        "published_at": moment,
        "updated_at": moment,
    }


if __name__ == "__main__":
    main()
