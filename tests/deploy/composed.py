"""The services of deploy/compose.yaml, brought up on a private engine."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.local.processes import ROOT
from tests.docker import Engine

COMPOSE = ROOT / "build/deploy-tools/bin/docker-compose"
STAND_INS = ROOT / "tests/deploy/stand_ins"
FILES = (ROOT / "deploy/compose.yaml", STAND_INS / "compose.yaml")
PROJECT = "multireco-tests"
SERVING = ("router", "profile", "catalog", "reco")
OWN = (*SERVING, "worker", "relay", "beat")


class Composed:
    """Compose's command line, and what the engine knows of its containers."""

    def __init__(self, docker: Engine, settings: dict[str, str]) -> None:
        self.docker = docker
        self._environment = {**docker.environment, **settings}

    def __call__(self, *words: str) -> str:
        """Run a command of Compose's, which must succeed."""
        files = [word for file in FILES for word in ("-f", str(file))]
        ran = subprocess.run(
            [str(COMPOSE), "-p", PROJECT, *files, *words],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"{' '.join(words)}:\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def containers(self, service: str) -> list[str]:
        return self("ps", "--all", "--quiet", service).split()

    def told(self, container: str) -> dict[str, dict[str, object]]:
        inspected: dict[str, dict[str, object]] = json.loads(self.docker("inspect", container))[0]
        return inspected

    def states(self) -> dict[str, str]:
        """Service → healthy, unhealthy, starting, or exited with 0."""
        states = {}
        for line in self("ps", "--all", "--format", "json").splitlines():
            one = json.loads(line)
            ended = f"{one['State']} {one['ExitCode']}"
            states[one["Service"]] = one["Health"] if one["State"] == "running" else ended
        return states

    def run_in(self, service: str, script: str) -> str:
        return self.docker("exec", self.containers(service)[0], "sh", "-c", script)


@contextmanager
def up(docker: Engine, settings: dict[str, str]) -> Iterator[Composed]:
    """All services, from the time when the gateway answers until they are removed."""
    composed = Composed(docker, settings)
    try:
        composed("up", "--detach", "--no-build")
        for service in ("gateway", *OWN):
            for container in composed.containers(service):
                wait_until_healthy(composed, container)
        yield composed
    finally:
        composed("down", "--volumes", "--timeout", "1")


def wait_until_healthy(composed: Composed, container: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while composed.told(container)["State"]["Health"]["Status"] != "healthy":
        assert time.monotonic() < deadline, composed.docker("logs", "--tail", "20", container)
        time.sleep(0.5)
