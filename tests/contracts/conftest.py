import os
from uuid import uuid4

import httpx2
import pytest
from a2wsgi import WSGIMiddleware
from pymongo import MongoClient

from profile_app import migrate
from profile_app import store as profile_store
from profile_app.main import make_app
from runtime import keys, rest
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


@pytest.fixture
async def catalog(mongodb_url):
    """The real catalogue in memory, on a database of its own."""
    async with running(mongodb_url) as started:
        rest.mount("catalog", started.application)
        yield started
        rest.unmount("catalog")


@pytest.fixture
async def profile(monkeypatch):
    """A client, with the internal key, of the real profile service in memory."""
    engine = profile_store.make_engine(fresh_database("contracts"))
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
