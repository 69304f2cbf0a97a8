"""The product as people meet it: its processes on stores of their own, filled with the market."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2

from runtime.local import stores
from runtime.local.processes import (
    ROOT,
    Processes,
    address_of,
    start_mounted,
    wait_until_ready,
)
from runtime.local.servers import free_port
from tests.journeys import market

STAFF = "merchandiser"
PASSWORD = "correct horse battery staple"
ALL_PRODUCTS = len(market.MEALS) * 3 * market.KINDS


class Shop(NamedTuple):
    """Where a running shop is."""

    address: str

    def url(self, path: str) -> str:
        return f"{self.address}{path}"


@contextmanager
def filled(folder: Path) -> Iterator[dict[str, str]]:
    """Stores in `folder` with the market loaded and a model trained; yields their settings."""
    folder.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
    with stores.embedded(folder, given={}) as addresses:
        environment = {
            **addresses,
            "MULTIRECO_SECRET_KEY": secrets.token_urlsafe(48),
            "MULTIRECO_MODEL_DIR": str(folder / "models"),
        }
        _run(environment, "/bin/sh", "deploy/entrypoint.sh", "migrate")
        with serving(environment, start_mounted, folder / "filling") as shop:
            _fill(environment, shop, folder / "feed")
        yield environment


@contextmanager
def serving(
    environment: Mapping[str, str], start: Callable[..., None], logs: Path
) -> Iterator[Shop]:
    """The processes that `start` starts, once they answer."""
    port = free_port()
    with Processes(environment, logs) as processes:
        start(processes, port=port)
        wait_until_ready(processes)
        yield Shop(address_of(port))


def wait_for_market(shop: Shop, seconds: float = 60) -> None:
    """Until the catalogue shows every product and answers come from a model."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        listed = httpx2.get(shop.url("/v1/products"), params={"limit": 1}).json()
        answer = httpx2.get(shop.url("/v1/recommendations")).json()
        if listed.get("total") == ALL_PRODUCTS and answer.get("model"):
            return
        time.sleep(0.3)
    raise TimeoutError(f"the market did not come up in {seconds:g} s: {listed}, {answer}")


def _fill(environment: Mapping[str, str], shop: Shop, feed: Path) -> None:
    products, events = market.write(feed)
    here = {
        **environment,
        "MULTIRECO_CATALOG_URL": shop.address,
        "MULTIRECO_PROFILE_URL": shop.address,
    }
    manage = (sys.executable, "manage.py")
    _run(here, *manage, "import_products", str(products))
    _run(here, *manage, "import_events", str(events))
    _run(here, *manage, "train")
    account = (*manage, "createsuperuser", "--noinput", "--username", STAFF, "--email", "")
    _run({**here, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}, *account)
    wait_for_market(shop)


def _run(environment: Mapping[str, str], *command: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        env={**os.environ, **environment, "PATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
