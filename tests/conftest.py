"""The whole product, running, for the tests that ask it as its users do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.local import stores
from runtime.local.processes import start_mounted, start_split
from tests import debian, servers
from tests.shops import Shop, selling

SHAPES = ("mounted", "split", "gateway")


@pytest.fixture(scope="session")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One process on the embedded stores, as `make demo` starts it."""
    folder = _folder(tmp_path_factory, "mounted")
    with (
        stores.embedded(folder, given={}) as given,
        selling(given, folder, start_mounted) as shop,
    ):
        yield shop


@pytest.fixture(scope="session")
def split(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One process a role on Debian's servers, as `make split` and the pods are; at its router."""
    servers.need("PostgreSQL", "Redis", "RabbitMQ")
    folder = _folder(tmp_path_factory, "split")
    with debian.running(folder) as given, selling(given, folder, start_split) as shop:
        yield shop


@pytest.fixture(scope="session")
def gateway(split: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The same processes behind NGINX, which asks each component itself."""
    servers.need("NGINX")
    ports = {role: f"127.0.0.1:{port}" for role, port in split.ports.items()}
    with debian.gateway(tmp_path_factory.mktemp("gateway") / "nginx", ports) as address:
        yield split._replace(address=address)


@pytest.fixture(scope="session", params=SHAPES)
def shop(request: pytest.FixtureRequest) -> Shop:
    """The product in each of the shapes in which it is run."""
    started: Shop = request.getfixturevalue(request.param)
    return started


def _folder(factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder that PostgreSQL, as another user, can reach."""
    folder = factory.mktemp(name)
    for each in (folder, *folder.parents[:2]):
        each.chmod(0o755)
    return folder
