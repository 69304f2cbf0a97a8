import os
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import httpx2
import psycopg2
import pytest
from a2wsgi import WSGIMiddleware
from pymongo import MongoClient

from profile_app import migrate
from profile_app import store as profile_store
from profile_app.main import make_app
from runtime import keys, rest, settings
from tests import debian, servers
from tests.catalog_app.conftest import running
from tests.profile_app.conftest import fresh_database


@pytest.fixture
def mongodb_url():
    """The address of a new database, dropped afterwards."""
    server, _, options = os.environ["MULTIRECO_MONGODB_URL"].partition("/?")
    name = f"contracts_{uuid4().hex[:12]}"
    yield f"{server}/{name}?{options}"
    with MongoClient(os.environ["MULTIRECO_MONGODB_URL"]) as client:
        client.drop_database(name)


@pytest.fixture(scope="session")
def debians():
    """The addresses of PostgreSQL and Redis from Debian's packages, and of RabbitMQ."""
    servers.need("PostgreSQL", "Redis", "RabbitMQ")
    with TemporaryDirectory(prefix="multireco-contracts-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
        with debian.running(Path(folder)) as addresses:
            yield addresses


@pytest.fixture(params=["embedded", pytest.param("debian", marks=pytest.mark.debian)])
def given(request, monkeypatch):
    """The addresses of Debian's servers, their Redis in use; empty for the embedded stores."""
    if request.param == "embedded":
        return {}
    addresses = request.getfixturevalue("debians")
    there = settings.current().model_copy(update={"redis_url": addresses["MULTIRECO_REDIS_URL"]})
    monkeypatch.setattr(settings, "current", lambda: there)
    return addresses


@pytest.fixture
def profile_url(given):
    """The address of an empty database of profile."""
    if not given:
        return fresh_database("contracts")
    with closing(psycopg2.connect(given["MULTIRECO_PROFILE_DATABASE_URL"])) as connection:
        connection.cursor().execute("DROP SCHEMA IF EXISTS profile CASCADE")
        connection.commit()
    return given["MULTIRECO_PROFILE_DATABASE_URL"]


@pytest.fixture
async def catalog(given, mongodb_url):
    """The real catalogue in memory, on a database of its own; MongoDB is no package of Debian's."""
    async with running(mongodb_url) as started:
        rest.mount("catalog", started.application)
        yield started
        rest.unmount("catalog")


@pytest.fixture
async def profile(profile_url, monkeypatch):
    """A client, with the internal key, of the real profile service in memory."""
    engine = profile_store.make_engine(profile_url)
    monkeypatch.setattr(profile_store, "engine", lambda: engine)
    migrate.migrate()
    app = WSGIMiddleware(make_app())
    rest.mount("profile", app)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://profile",
        headers={"Authorization": keys.internal_authorization()},
    ) as client:
        yield client
    rest.unmount("profile")
    engine.dispose()
