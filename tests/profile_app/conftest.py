"""The component on a real PostgreSQL, in a database of its own that each test finds empty."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, make_url, text
from werkzeug.test import TestResponse

from profile_app import migrate, settings, store
from profile_app.main import make_app
from runtime import keys

Put = Callable[[str, dict[str, Any]], TestResponse]


def fresh_database(name: str) -> str:
    """The address of a new, empty database on the private server."""
    server = make_url(settings.current().profile_database_url.get_secret_value())
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 0"))  # the role has one
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def migrated() -> Iterator[Engine]:
    engine = store.make_engine(fresh_database("profile_component"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "engine", lambda: engine)
        migrate.migrate()
    yield engine
    engine.dispose()


@pytest.fixture
def database(migrated: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    with migrated.begin() as connection:
        connection.execute(text("TRUNCATE profile.profiles, profile.preferences"))
    monkeypatch.setattr(store, "engine", lambda: migrated)
    return migrated


@pytest.fixture
def client(database: Engine) -> Iterator[FlaskClient]:
    with make_app().test_client() as client:
        yield client


@pytest.fixture
def put(client: FlaskClient) -> Put:
    """Write through the internal routes, with the key that they ask for."""

    def put(what: str, body: dict[str, Any]) -> TestResponse:
        return client.put(
            f"/internal/profile/v1/{what}",
            json=body,
            headers={"Authorization": keys.internal_authorization()},
        )

    return put
