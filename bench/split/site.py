"""The split system on embedded stores, filled with the market, behind its gateway."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import httpx2
import orjson

from runtime.local import stores
from runtime.local.processes import ROOT, address_of, start_split
from runtime.local.servers import Server, free_port
from tests import debian, market, shops

CONTEXTS = [
    [market.item_id(category, number) for category in meal]
    for meal in market.MEALS
    for number in range(1, market.KINDS + 1)
]
BODIES = [
    orjson.dumps({"items": [{"item_id": item_id} for item_id in context]}).decode()
    for context in CONTEXTS
]

# As deploy/entrypoint.sh does.
OPTIONS = (
    *("--host", "127.0.0.1", "--lifespan", "on", "--http", "runtime.one_write:Protocol"),
    *("--ws", "none", "--no-access-log", "--no-server-header"),
)
PATIENCE_SECONDS = 120


class Site(NamedTuple):
    """The gateway's address, that of reco behind it, and the shop."""

    gateway: str
    reco: str
    shop: shops.Shop


@contextmanager
def running() -> Iterator[Site]:
    """Every role as one process."""
    with tempfile.TemporaryDirectory(prefix="multireco-split-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        with (
            stores.embedded(folder, given={}) as addresses,
            shops.selling(addresses, folder, start_split) as shop,
            debian.gateway(folder / "nginx", _at(shop.ports)) as gateway,
        ):
            yield Site(gateway, address_of(shop.ports["reco"]), shop)


@contextmanager
def measured(application: str) -> Iterator[Site]:
    """The same, with `application` in place of reco: it and the gateway share the first core.

    The caller is left with the others.
    """
    own = os.sched_getaffinity(0)
    first, *others = sorted(own)
    port = free_port()
    with running() as stock:
        reco = Server(
            application,
            [sys.executable, "-m", "uvicorn", application, *OPTIONS, "--port", str(port)],
            log=stock.shop.logs / "measured.log",
            ready=lambda: _is_ready(port),
            environment={**stock.shop.environment, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        )
        try:
            reco.wait_until_ready(PATIENCE_SECONDS)
            os.sched_setaffinity(0, {first})  # children inherit it
            _keep_to(reco.child.pid, {first})
            addresses = _at({**stock.shop.ports, "reco": port})
            with debian.gateway(stock.shop.logs.parent / "measured", addresses) as gateway:
                os.sched_setaffinity(0, others or own)
                yield Site(gateway, address_of(port), stock.shop)
        finally:
            os.sched_setaffinity(0, own)
            reco.stop()


def _keep_to(pid: int, cores: set[int]) -> None:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def _is_ready(port: int) -> bool:
    with suppress(httpx2.HTTPError):
        return bool(httpx2.get(f"{address_of(port)}/readyz").json()["status"] == "ready")
    return False


def _at(ports: Mapping[str, int]) -> dict[str, str]:
    return {role: f"127.0.0.1:{port}" for role, port in ports.items()}
