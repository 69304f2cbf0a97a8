"""The image as the Dockerfile builds it."""

import json

import pytest

from tests.docker import Engine

pytestmark = pytest.mark.image
MEGABYTE = 1_000_000
TOOLS = "gcc g++ cc clang ld as make cargo apt apt-get dpkg pip pip3 uv npm perl"
LOCKS = (
    "--read-only",
    "--cap-drop",
    "ALL",
    "--security-opt",
    "no-new-privileges",
    "--tmpfs",
    "/tmp",
)


def _inside(docker: Engine, image: str, script: str) -> str:
    """What a shell in the image says, locked in as a pod is."""
    return docker("run", "--rm", *LOCKS, "--entrypoint", "sh", image, "-c", script)


def _found(docker: Engine, image: str, sought: str) -> str:
    """Paths in the image, in whatever folder; only root may look into all."""
    found = ("--user", "0", "--entrypoint", "find", image, "/", "-xdev")
    return docker("run", "--rm", *found, *sought.split())


def test_it_is_small(docker: Engine, image: str) -> None:
    size = int(docker("image", "inspect", "--format", "{{.Size}}", image))
    assert 100 * MEGABYTE < size < 800 * MEGABYTE


def test_it_brings_neither_compiler_nor_package_manager(docker: Engine, image: str) -> None:
    assert _inside(docker, image, f"for tool in {TOOLS}; do command -v $tool; done; true") == ""
    assert _found(docker, image, "-name pip -o -name pip-* -o -name ensurepip") == ""


def test_nobody_in_it_is_root_or_can_become_it(docker: Engine, image: str) -> None:
    assert _inside(docker, image, "id -u; id -g").split() == ["10001", "10001"]
    assert _found(docker, image, "-perm /6000 -type f") == ""


def test_its_code_is_compiled(docker: Engine, image: str) -> None:
    loaded = "python -v -m runtime.ending 2>&1 | grep -c 'code object from .*runtime/__pycache__'"
    assert int(_inside(docker, image, loaded)) > 0


def test_it_says_what_it_is(docker: Engine, image: str) -> None:
    labels = json.loads(docker("image", "inspect", "--format", "{{json .Config.Labels}}", image))
    assert labels["org.opencontainers.image.title"] == "multireco"
    assert labels["org.opencontainers.image.revision"] == "tested"
