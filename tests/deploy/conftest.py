"""An engine, and the images that it builds: made once for all tests that are marked `image`."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from runtime.local.processes import ROOT
from tests import docker as engines
from tests import servers
from tests.deploy import composed
from tests.docker import Engine

IMAGE = "multireco:local"  # as compose.yaml names it
BASE = re.search(r"ARG BASE=(\S+)", (ROOT / "deploy/Dockerfile").read_text())[1]
SECANTUSDB = re.search(r"secantusdb==(\S+)", (ROOT / "requirements/dev.txt").read_text())[1]


@pytest.fixture(scope="session")
def docker() -> Iterator[Engine]:
    """A private engine that has the base, and it alone."""
    if os.geteuid() != 0:
        servers.skip("an engine of its own needs root")
    missing = [tool for tool in ("dockerd", "debootstrap") if not shutil.which(tool)]
    if missing:
        servers.skip(f"not installed: {', '.join(missing)}")
    if Path("/sys/class/net/docker0").exists():
        servers.skip("another engine has the bridge docker0, and one without removes it")
    folder = Path(mkdtemp(prefix="multireco-docker-"))
    with engines.engine(folder / "engine") as docker:
        engines.make_base(docker, folder / "base", name=BASE)
        yield docker
    folder.rmdir()


@pytest.fixture(scope="session")
def image(docker: Engine) -> str:
    said = ["--build-arg", "REVISION=tested"]
    docker.build(*said, "-f", str(ROOT / "deploy/Dockerfile"), "-t", IMAGE, str(ROOT))
    return IMAGE


@pytest.fixture(scope="session")
def stand_ins(docker: Engine) -> None:
    version = ["--build-arg", f"SECANTUSDB={SECANTUSDB}"]
    docker.build(*version, "-t", "stand-ins", str(composed.STAND_INS))
