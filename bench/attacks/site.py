"""What is attacked: the split system on private stores, behind the gateway in three ways."""

import string
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.attacks.tap import Tap, tapped
from runtime.local import stores
from runtime.local.processes import ROOT, Processes, start_split
from runtime.local.servers import free_port
from tests import debian, shops

ORIGIN = "https://shop.example"  # the one that the shop has listed
PARTS_A_MINUTE = 2_400  # of batches, and of these: the router's own default
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


class Site(NamedTuple):
    """Where all of it is. The gateway does not limit 127.0.0.1; attackers come from elsewhere."""

    gateway: str
    secure: int  # the port of a gateway in which TLS ends
    balanced: str  # a gateway that believes 127.0.0.1 whom a request comes from
    shop: shops.Shop
    mongodb: Tap
    sessions: frozenset[int]

    @property
    def port(self) -> int:
        return int(self.gateway.rpartition(":")[2])

    def memory_mb(self) -> float:
        """What NGINX and all processes of the product hold."""
        return sum(_held(process) for process in Path("/proc").glob("[0-9]*") if self._is(process))

    def _is(self, process: Path) -> bool:
        try:
            stat = (process / "stat").read_text()
        except OSError:
            return False
        return int(stat.rpartition(")")[2].split()[3]) in self.sessions


def _held(process: Path) -> float:
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@contextmanager
def running(folder: Path) -> Iterator[Site]:
    """The market's shop, filled and trained."""
    started: list[Processes] = []

    def start(processes: Processes, *, port: int) -> dict[str, int]:
        started.append(processes)
        return start_split(processes, port=port)

    with (
        stores.embedded(folder, given={}) as addresses,
        tapped(addresses["MULTIRECO_MONGODB_URL"]) as tap,
    ):
        given = {"MULTIRECO_MONGODB_URL": tap.url, "MULTIRECO_CORS_ORIGINS": ORIGIN}
        given["MULTIRECO_REQUESTS_PER_MINUTE"] = str(PARTS_A_MINUTE)
        secure = free_port()
        _end_tls(folder / "secure", secure)
        with shops.selling(addresses | given, folder, start) as shop:
            roles = {role: f"127.0.0.1:{port}" for role, port in shop.ports.items()}
            with (
                debian.gateway(folder / "nginx", roles) as gateway,
                debian.gateway(folder / "secure", roles),
                debian.gateway(folder / "balanced", roles, trusting="127.0.0.1") as balanced,
            ):
                sessions = {server.child.pid for server in started[0].running.values()}
                sessions |= {
                    int((folder / name / "nginx.pid").read_text())
                    for name in ("nginx", "secure", "balanced")
                }
                yield Site(gateway, secure, balanced, shop, tap, frozenset(sessions))


def _end_tls(folder: Path, port: int) -> None:
    """A certificate, and the file that has NGINX listen with it."""
    (folder / "tls").mkdir(parents=True)
    (folder / "conf.d/tls").mkdir(parents=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-keyout", str(folder / "tls/tls.key"), "-out", str(folder / "tls/tls.crt")]
    command = ["openssl", "req", "-x509", *key, *files, "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-addext", NAMES], check=True, capture_output=True)
    template = string.Template((ROOT / "deploy/nginx/tls.conf.template").read_text())
    made = template.safe_substitute(GATEWAY_TLS_LISTEN=f"127.0.0.1:{port}")
    (folder / "conf.d/tls/tls.conf").write_text(made)
