"""Each process of the split system is exchanged beneath load, and each certificate with it.

    python -m bench.split rolling

Behind NGINX, with mutual TLS, two processes of every role stand on embedded stores (one of beat).
One after the other is exchanged as a Deployment does it: a new one starts and is ready, no new
connection is sent to the old one any more, SIGTERM, and it may finish what it has. A second NGINX,
which passes connections on as they are, stands for the cluster's Services: open ones stay where
they are. Half way all certificates are issued anew, and the gateway is told by a reload, its only
one. An answer that is no success, or none at all, has failed.

In the cluster the gateway looks up by itself where processes are. Debian's NGINX cannot, so here it
asks the Services. Told by a reload of each exchange, it closed idle connections of callers nine
times a run, and in two of five runs one request was just on its way.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.split import visitors
from runtime.local import stores
from runtime.local.certificates import Authority
from runtime.local.gateway import Listening, gateway, program
from runtime.local.processes import COMPONENTS, Processes
from runtime.local.secured import shown
from runtime.local.servers import Server, accepts, free_port
from tests import shops

SERVED = ("router", *COMPONENTS)
OTHERS = ("relay", "worker")
PROCESSES = 2
REQUESTS = 10_000
PRE_STOP_SECONDS = 2.0
SETTLED_SECONDS = 0.5  # until a reload is over
STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so"  # Debian: libnginx-mod-stream


def measure() -> dict[str, float]:
    """How many were asked, how many failed."""
    with tempfile.TemporaryDirectory(prefix="multireco-rolling-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        cluster = Cluster(folder)
        with (
            stores.embedded(folder, given={}) as addresses,
            shops.selling(addresses, folder, cluster.start, authority=cluster.authority) as shop,
        ):
            return _rolled(cluster, shop)


def _rolled(cluster: "Cluster", shop: shops.Shop) -> dict[str, float]:
    load = visitors.Visitors(shop)
    thread = threading.Thread(target=lambda: asyncio.run(load.come(at_least=REQUESTS)))
    thread.start()
    try:
        for role in (*SERVED[:2], "certificates", *SERVED[2:], *OTHERS, "beat"):
            load.meanwhile = role
            if role == "certificates":
                cluster.rotate()
            else:
                cluster.roll(role)
        load.meanwhile = "nothing"
    finally:
        load.enough = True
        thread.join()
    sys.stderr.write(json.dumps({"asked": load.asked, "failed": load.failed}, indent=1) + "\n")
    return {"rolling.requests": load.asked.total(), "rolling.failed": load.failed.total()}


class Cluster:
    """The processes by role, the Services before them and the gateway before these."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "tls")
        self._folder = folder
        self._pods: dict[str, list[tuple[str, int]]] = {}
        self._services = {role: free_port() for role in SERVED}
        self._started: Counter[str] = Counter()

    def start(self, processes: Processes, *, port: int) -> Mapping[str, int]:
        """All of it; the gateway listens at `port`. Role → port of its Service."""
        self._processes = processes
        self._listening = Listening(free_port(), free_port(), port)
        for role in (*SERVED, *OTHERS):
            self._pods[role] = [self._begun(role) for _ in range(PROCESSES)]
        self._pods["beat"] = [self._begun("beat")]
        (self._folder / "gateway").mkdir()
        self._write()
        processes.running["gateway"] = gateway(
            self._folder / "gateway",
            # As often as there are processes that may be asked when one fails.
            {
                role: " ".join([f"127.0.0.1:{port}"] * PROCESSES)
                for role, port in self._services.items()
            },
            self._listening,
            shown=shown(self.authority),
        )
        configuration = str(self._folder / "services.conf")
        processes.running["services"] = Server(
            "services",
            [program(), *("-p", str(self._folder), "-e", "stderr", "-c", configuration)],
            log=processes.logs / "services.log",
            ready=lambda: accepts(self._services["router"]),
        )
        return self._services

    def roll(self, role: str) -> None:
        """Exchange each of its processes; beat first ends, for there must not be two."""
        for old, _ in list(self._pods[role]):
            if role == "beat":
                self._end(old)
            new = self._begun(role)
            self._processes.running[new[0]].wait_until_ready(90)
            kept = [pod for pod in self._pods[role] if pod[0] != old]
            self._pods[role] = [*kept, new]
            if role in SERVED:
                self._write()
                self._reload("services")
            if role != "beat":
                time.sleep(PRE_STOP_SECONDS)
                self._end(old)

    def rotate(self) -> None:
        """New certificates for all; the gateway is told, the others see for themselves."""
        for name in (*SERVED, *OTHERS, "gateway", "browsers", "operator"):
            self.authority.issue(name)
        self._reload("gateway")
        time.sleep(PRE_STOP_SECONDS)

    def _begun(self, role: str) -> tuple[str, int]:
        self._started[role] += 1
        name, port = f"{role}-{self._started[role]}", free_port()
        components = {each: self._services[each] for each in COMPONENTS}
        urls = self._processes.urls(components)
        if role in OTHERS or role == "reco":
            urls = self._processes.neighbours(components)
        self._processes.start(role, name=name, port=None if role == "beat" else port, urls=urls)
        return name, port

    def _end(self, name: str) -> None:
        server = self._processes.running.pop(name)
        server.stop(25)  # what a pod is given
        if server.child.returncode == -signal.SIGKILL:
            raise RuntimeError(f"{name} had not ended 25 s after SIGTERM")

    def _reload(self, name: str) -> None:
        os.kill(self._processes.running[name].child.pid, signal.SIGHUP)
        time.sleep(SETTLED_SECONDS)

    def _write(self) -> None:
        """Send to the processes of now alone: the Services take what is written when told to."""
        passed_on = "\n".join(
            f"upstream {role} {{ server {_servers([port for _, port in self._pods[role]])}; }}\n"
            f"server {{ listen 127.0.0.1:{self._services[role]}; proxy_pass {role}; }}"
            for role in SERVED
        )
        (self._folder / "services.conf").write_text(
            f"load_module {STREAM};\ndaemon off; worker_processes 1; error_log stderr;\n"
            f"pid {self._folder}/services.pid; events {{}}\nstream {{\n{passed_on}\n}}\n"
        )


def _servers(ports: Sequence[int]) -> str:
    """In the words of an upstream, behind its first `server`."""
    return "; server ".join(f"127.0.0.1:{port}" for port in ports)
