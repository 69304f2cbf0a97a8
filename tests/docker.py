"""A private Docker engine of Debian's package, and the base image, which no registry need give.

Needs root. It has no bridge and no rules of its own: what it builds uses the machine's network.
All that it adds to the machine is gone when it ends: its folder, containers and networks.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.local.servers import Server

DOCKER = "/usr/bin/docker"
ISOLATED = ("--bridge=none", "--iptables=false", "--ip-forward=false")
AUTHORITIES = Path("/usr/local/share/ca-certificates")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Engine:
    """Docker's command line, asked of one engine."""

    def __init__(self, socket: Path) -> None:
        self.environment = {**os.environ, "DOCKER_HOST": f"unix://{socket}", "DOCKER_BUILDKIT": "1"}

    def __call__(self, *words: str) -> str:
        """Run a command of Docker's, which must succeed."""
        ran = subprocess.run(
            [DOCKER, *words], env=self.environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, f"docker {' '.join(words)}:\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout.strip()

    def build(self, *words: str) -> None:
        self("build", "--network", "host", *words)

    def answers(self) -> bool:
        asked = [DOCKER, "version"]
        return subprocess.run(asked, env=self.environment, capture_output=True).returncode == 0


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """Start one with all that it keeps in `folder`."""
    folder.mkdir(parents=True)
    docker = Engine(folder / "socket")
    places = {"-H": f"unix://{folder}/socket", "-p": folder / "pid"}
    places |= {"--data-root": folder / "data", "--exec-root": folder / "exec"}
    server = Server(
        "Docker",
        ["dockerd", *ISOLATED, *(str(word) for place in places.items() for word in place)],
        log=folder / "log",
        ready=docker.answers,
    )
    try:
        server.wait_until_ready(30)
        try:
            yield docker
        finally:
            _remove_all(docker)
    finally:
        server.stop()
        shutil.rmtree(folder)


def make_base(docker: Engine, folder: Path, *, name: str) -> None:
    """Debian's own Python in a small Debian, under the name of the image that stands for it."""
    packages = "--include=python3,python3-venv,ca-certificates"
    _run("debootstrap", "--variant=minbase", packages, "trixie", str(folder))
    for authority in AUTHORITIES.glob("*.crt"):
        shutil.copy(authority, folder / AUTHORITIES.relative_to("/"))
    _run("chroot", str(folder), "update-ca-certificates")
    imported = [DOCKER, "import", "--change", f"ENV PATH={PATH}", "-", name]
    packed = ["tar", "-C", str(folder), "-cf", "-", "."]
    with subprocess.Popen(packed, stdout=subprocess.PIPE) as tar:
        subprocess.run(imported, env=docker.environment, stdin=tar.stdout, check=True)
    assert tar.returncode == 0
    shutil.rmtree(folder)


def _remove_all(docker: Engine) -> None:
    if containers := docker("ps", "--all", "--quiet"):
        docker("rm", "--force", *containers.split())
    docker("network", "prune", "--force")


def _run(*command: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{' '.join(command)}:\n{ran.stdout}\n{ran.stderr}"
