"""The whole product, running, for the tests that ask it as its users do."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import pytest

from runtime import stdout
from runtime.local import stores
from runtime.local.certificates import Authority
from runtime.local.processes import start_mounted, start_split
from runtime.local.secured import start_secured
from tests import debian, servers, tap
from tests.shops import Shop, selling

SHAPES = ("mounted", "split", "gateway")
JOURNEYS = Path(__file__).parent / "journeys"


@pytest.hookimpl(trylast=True)  # after pytest has grouped the tests by their session's fixtures
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys come last: while a browser is driven no test can run an event loop."""
    items.sort(key=lambda item: item.path.is_relative_to(JOURNEYS))


@pytest.fixture(autouse=True)
def lines_written() -> Iterator[None]:
    """Each test's lines are written while its output is captured, not amid what pytest prints."""
    yield
    stdout.flush()


@pytest.fixture(scope="session")
def mounted(shop_folders: Path) -> Iterator[Shop]:
    """One process on the embedded stores, as `make demo` starts it."""
    folder = shop_folders / "mounted"
    with (
        stores.embedded(folder, given={}) as given,
        selling(given, folder, start_mounted) as shop,
    ):
        yield shop


@pytest.fixture(scope="session")
def receiver() -> Iterator[tap.Tap]:
    """Of the traces of the shop behind the gateway."""
    with tap.listening() as started:
        yield started


@pytest.fixture(scope="session")
def split(shop_folders: Path) -> Iterator[Shop]:
    """One process a role on Debian's servers, as `make split` and the pods are; at its router."""
    servers.need("PostgreSQL", "Redis", "RabbitMQ")
    folder = shop_folders / "split"
    with debian.running(folder) as given, selling(given, folder, start_split) as shop:
        yield shop


@pytest.fixture(scope="session")
def gateway(shop_folders: Path, receiver: tap.Tap) -> Iterator[Shop]:
    """The same behind NGINX with mutual TLS between all, as `make split TLS=1` and a cluster.

    Every trace is kept.
    """
    servers.need("PostgreSQL", "Redis", "RabbitMQ", "NGINX")
    folder = shop_folders / "secured"
    authority = Authority(folder / "tls")
    with (
        debian.running(folder) as given,
        selling(
            {**given, **receiver.settings(share=1)}, folder, start_secured, authority=authority
        ) as shop,
    ):
        yield shop


@pytest.fixture(scope="session", params=SHAPES)
def shop(request: pytest.FixtureRequest) -> Shop:
    """The product in each of the shapes in which it is run."""
    started: Shop = request.getfixturevalue(request.param)
    return started


@pytest.fixture(scope="session")
def shop_folders() -> Iterator[Path]:
    """Not pytest's own, which only its owner may enter: PostgreSQL runs as another user here."""
    with TemporaryDirectory(prefix="multireco-shops-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def open_folder(shop_folders: Path) -> Path:
    """A folder of this test alone that PostgreSQL can reach."""
    folder = Path(mkdtemp(dir=shop_folders))
    folder.chmod(0o755)
    return folder
