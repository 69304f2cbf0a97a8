import os
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask.testing import FlaskClient
from sqlalchemy import Engine, inspect, text

from profile_app import main, migrate, store
from profile_app.models import SCHEMA, Table
from tests.profile_app.conftest import fresh_database


def test_models_and_migrations_agree(database: Engine) -> None:
    with database.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
                "version_table_schema": SCHEMA,
                "compare_server_default": True,
            },
        )

        assert compare_metadata(context, Table.metadata) == []


def test_every_check_of_the_models_is_in_the_migrated_database(database: Engine) -> None:
    found = inspect(database)

    assert {
        check["name"]
        for table in ("profiles", "preferences")
        for check in found.get_check_constraints(table, schema=SCHEMA)
    } == {"profiles_slug", "profiles_source", "profiles_version", "preferences_sessions"}


def test_migrating_twice_changes_nothing(database: Engine) -> None:
    migrate.migrate()

    assert store.revision() == migrate.head()


def test_a_database_of_a_newer_release_is_served_by_the_old_one_too(
    database: Engine, client: FlaskClient
) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE profile.alembic_version SET version_num = '9999_newer'"))
    try:
        assert client.get("/readyz").status_code == 200
    finally:
        with database.begin() as connection:
            own = {"own": migrate.head()}
            connection.execute(text("UPDATE profile.alembic_version SET version_num = :own"), own)


def test_a_pod_waits_until_the_schema_is_that_of_its_code() -> None:
    url = fresh_database("profile_gate")
    given = {**os.environ, "MULTIRECO_PROFILE_DATABASE_URL": url}

    def ran(*arguments: str) -> int:
        command = [sys.executable, "-m", "profile_app.migrate", *arguments]
        return subprocess.run(command, env=given, capture_output=True, check=False).returncode

    assert [ran("--check"), ran(), ran("--check")] == [1, 0, 0]


def test_before_its_migrations_the_component_waits_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty = store.make_engine(fresh_database("profile_not_migrated"))
    monkeypatch.setattr(store, "engine", lambda: empty)
    client = main.make_app().test_client()

    before = [
        client.get(path).status_code for path in ("/readyz", "/v1/profiles", "/v1/profiles/a")
    ]
    migrate.migrate()
    after = [client.get(path).status_code for path in ("/readyz", "/v1/profiles", "/v1/profiles/a")]

    empty.dispose()
    assert before == [503, 503, 503]
    assert after == [200, 200, 404]
