"""The product's own processes on one machine: mounted in one, or split by role."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from runtime.local.servers import Server, accepts, free_port, stop_all

ROOT = Path(__file__).resolve().parents[3]


class Processes:
    """Roles of deploy/entrypoint.sh, each a child process; all end with the context."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = {
            **environment,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        self._logs = logs
        self.running: dict[str, Server] = {}

    def __enter__(self) -> "Processes":
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *exception: object) -> None:
        stop_all(self.running.values())

    def start(
        self,
        role: str,
        *,
        name: str | None = None,
        urls: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> Server:
        """Start one role, its words in `logs/NAME.log`; a second one needs a name of its own."""
        name = name or role
        log = self._logs / f"{name}.log"
        log.unlink(missing_ok=True)
        server = Server(
            name,
            ["/bin/sh", str(ROOT / "deploy/entrypoint.sh"), role],
            log=log,
            ready=lambda: port is None or _ready(port),
            environment={
                **self._environment,
                **(urls or {}),
                "HOST": "127.0.0.1",
                "PORT": str(port or 0),
            },
        )
        self.running[name] = server
        return server


def address_of(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def start_mounted(processes: Processes, *, port: int) -> dict[str, int]:
    """All three components in one process, with the relay and one worker beside it.

    Returns role → port, as start_split does.
    """
    processes.start("all", port=port)
    background = _start_background(processes, catalog=address_of(port), profile=address_of(port))
    return dict.fromkeys(("router", "profile", "catalog", "reco"), port) | background


def start_split(processes: Processes, *, port: int) -> dict[str, int]:
    """One process a role behind the router, over plain HTTP on loopback; role → port."""
    ports = {role: free_port() for role in ("profile", "catalog", "reco")}
    urls = {f"MULTIRECO_{role.upper()}_URL": address_of(ports[role]) for role in ports}
    for role in ports:
        processes.start(role, port=ports[role], urls=urls)
    processes.start("router", port=port, urls=urls)
    background = _start_background(
        processes, catalog=address_of(ports["catalog"]), profile=address_of(ports["profile"])
    )
    return {"router": port, **ports, **background}


def wait_until_ready(processes: Processes, seconds: float = 60) -> None:
    """Block until every process that listens answers; raises ServerFailed."""
    for server in processes.running.values():
        server.wait_until_ready(seconds)


def _start_background(processes: Processes, *, catalog: str, profile: str) -> dict[str, int]:
    """The ports where relay and worker answer probes."""
    urls = {"MULTIRECO_CATALOG_URL": catalog, "MULTIRECO_PROFILE_URL": profile}
    ports = {role: free_port() for role in ("relay", "worker")}
    for role, port in ports.items():
        processes.start(role, port=port, urls=urls)
    processes.start("beat", urls=urls)
    return ports


def _ready(port: int) -> bool:
    if not accepts(port):
        return False
    try:
        with urllib.request.urlopen(f"{address_of(port)}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
