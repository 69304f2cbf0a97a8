"""The product's own processes on one machine: mounted in one, or split by role."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from runtime.local.certificates import OPERATOR, Authority
from runtime.local.servers import Server, accepts, free_port, stop_all

ROOT = Path(__file__).resolve().parents[3]
COMPONENTS = ("profile", "catalog", "reco")


class Processes:
    """Roles of deploy/entrypoint.sh, each a child process; all end with the context.

    With an `authority`, each has a certificate of its own and they speak mutual TLS.
    """

    def __init__(
        self, environment: Mapping[str, str], logs: Path, authority: Authority | None = None
    ) -> None:
        self.authority = authority
        self.logs = logs
        self._environment = {
            **environment,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        self.running: dict[str, Server] = {}

    def __enter__(self) -> "Processes":
        self.logs.mkdir(parents=True, exist_ok=True)
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
        log = self.logs / f"{name}.log"
        log.unlink(missing_ok=True)
        server = Server(
            name,
            ["/bin/sh", str(ROOT / "deploy/entrypoint.sh"), role],
            log=log,
            ready=lambda: port is None or self._ready(port),
            environment={
                **self._environment,
                **self.shown_by(role),
                **(urls or {}),
                "HOST": "127.0.0.1",
                "PORT": str(port or 0),
            },
        )
        self.running[name] = server
        return server

    def address(self, port: int) -> str:
        """Where a process answers the others."""
        return f"https://127.0.0.1:{port}" if self.authority else address_of(port)

    def urls(self, ports: Mapping[str, int]) -> dict[str, str]:
        """The settings that tell where each component is; `ports`: role → port."""
        return {f"MULTIRECO_{role.upper()}_URL": self.address(ports[role]) for role in ports}

    def neighbours(self, ports: Mapping[str, int]) -> dict[str, str]:
        """The same of those that reco's processes ask."""
        return self.urls({role: ports[role] for role in ("catalog", "profile")})

    def shown_by(self, name: str) -> dict[str, str]:
        """The setting by which `name` shows itself to the others."""
        if self.authority is None:
            return {}
        return {"MULTIRECO_TLS_DIR": str(self.authority.folder(name))}

    def beside(self, ports: Mapping[str, int]) -> dict[str, str]:
        """What a command of the operator needs to ask the components."""
        return {**self.neighbours(ports), **self.shown_by(OPERATOR)}

    def _ready(self, port: int) -> bool:
        if not accepts(port):
            return False
        trusted = self.authority.asking() if self.authority else None
        try:
            address = f"{self.address(port)}/readyz"
            with urllib.request.urlopen(address, timeout=5, context=trusted) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


def address_of(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def start_mounted(processes: Processes, *, port: int) -> dict[str, int]:
    """All three components in one process, with the relay and one worker beside it.

    Returns role → port, as start_split does.
    """
    processes.start("all", port=port)
    ports = dict.fromkeys(("router", *COMPONENTS), port)
    return ports | _start_background(processes, ports)


def start_split(processes: Processes, *, port: int) -> dict[str, int]:
    """One process a role behind the router, which listens at `port`; role → port."""
    ports = {role: free_port() for role in COMPONENTS}
    urls = processes.urls(ports)
    for role in ports:
        processes.start(role, port=ports[role], urls=urls)
    processes.start("router", port=port, urls=urls)
    return {"router": port, **ports, **_start_background(processes, ports)}


def wait_until_ready(processes: Processes, seconds: float = 180) -> None:
    """Block until every process that listens answers; raises ServerFailed."""
    for server in processes.running.values():
        server.wait_until_ready(seconds)


def _start_background(processes: Processes, components: Mapping[str, int]) -> dict[str, int]:
    """The ports where relay and worker answer probes."""
    urls = processes.neighbours(components)
    ports = {role: free_port() for role in ("relay", "worker")}
    for role, port in ports.items():
        processes.start(role, port=port, urls=urls)
    processes.start("beat", urls=urls)
    return ports
