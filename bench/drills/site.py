"""The product as production runs it, on private stores: two processes of reco behind the gateway,
two workers, one process of every other role.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2

from bench.drills import disks, stores
from bench.drills.load import HIDDEN, SOLD_OUT
from runtime.local.processes import ROOT, Processes, address_of, start_split
from runtime.local.servers import Server, free_port
from tests import debian, shops

SECOND = {"reco-2": "reco", "worker-2": "worker"}
LISTENING = ("router", "profile", "catalog", "reco", "reco-2")
MODELS_MEGABYTES = 256
CURATE = f"""
from reco_app.curation import store
for item, change in {{"{HIDDEN}": {{"visible": False}},
                     "{SOLD_OUT}": {{"availability": "out_of_stock"}}}}.items():
    store.change_products([item], change=lambda row: row.update(change), reason="", user_id=None)
"""


class Site(NamedTuple):
    """Where all of it is."""

    gateway: str
    shop: shops.Shop
    stores: stores.Stores
    processes: Processes
    models: Path
    profile: str

    @property
    def secret(self) -> str:
        return self.shop.environment["MULTIRECO_SECRET_KEY"]

    def start(self, name: str, *, given: Mapping[str, str] | None = None) -> Server:
        """Start a process, again at its port; `given` are further settings."""
        addresses = {
            f"MULTIRECO_{role.upper()}_URL": address_of(self.shop.ports[role])
            for role in ("profile", "catalog", "reco")
        }
        return self.processes.start(
            SECOND.get(name, name),
            name=name,
            port=self.shop.ports.get(name),
            urls={**addresses, **(given or {})},
        )

    def kill(self, name: str) -> None:
        """End a process and its children as the kernel would, without a word."""
        child = self.processes.running[name].child
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def ready(self, names: tuple[str, ...] = LISTENING) -> bool:
        """Whether each of these processes says that nothing is degraded."""
        return all(self._condition(name) == "ready" for name in names)

    def _condition(self, name: str) -> str:
        try:
            address = address_of(self.shop.ports[name])
            told = httpx2.get(f"{address}/readyz", timeout=3)
        except httpx2.HTTPError:
            return "away"
        return str(told.json()["status"])

    def train(self) -> "subprocess.Popen[bytes]":
        """A training; its words are in the logs. It gives way, as one with limits of its own."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        with (self.shop.logs / "train.log").open("ab") as log:
            return subprocess.Popen(
                ["nice", "-n", "10", "/bin/sh", str(ROOT / "deploy/entrypoint.sh"), "train"],
                env={**os.environ, **self.shop.environment, "PATH": path},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


@contextmanager
def running(folder: Path) -> Iterator[Site]:
    """The market's shop, filled and trained; one product hidden, one sold out."""
    started: list[Processes] = []
    models = folder / "models"
    second = {name: free_port() for name in ("reco-2",)}

    def start(processes: Processes, *, port: int) -> Mapping[str, int]:
        started.append(processes)
        ports = start_split(processes, port=port) | second
        shop = shops.Shop(address_of(port), ports, {}, folder)
        for name in SECOND:
            Site("", shop, kept, processes, models, "").start(name)
        return ports

    with (
        stores.running(folder) as kept,
        disks.mounted(models, megabytes=MODELS_MEGABYTES),
        shops.selling(kept.environment, folder, start) as shop,
    ):
        _curate(shop)
        both = f"127.0.0.1:{shop.ports['reco']} 127.0.0.1:{shop.ports['reco-2']}"
        addresses = {role: f"127.0.0.1:{port}" for role, port in shop.ports.items()}
        with debian.gateway(folder / "nginx", addresses | {"reco": both}) as gateway:
            yield Site(gateway, shop, kept, started[0], models, _profile(shop))


def _curate(shop: shops.Shop) -> None:
    """Then train again, so that the release's snapshots know of it."""
    shop.run(sys.executable, "manage.py", "shell", "-c", CURATE)
    shop.run(sys.executable, "manage.py", "train")


def _profile(shop: shops.Shop) -> str:
    """One of the tastes that the training found."""
    listed = httpx2.get(shop.url("/v1/profiles")).json()
    return str(listed["profiles"][0]["slug"])
