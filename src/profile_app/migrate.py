"""Brings the database to the newest migration: `python -m profile_app.migrate [COMMAND…]`.

Then it becomes COMMAND, if one is given. With --check it only fails where a migration is missing.
"""

import os
import sys
from functools import cache

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from profile_app import settings, store
from profile_app.models import SCHEMA
from runtime import ending, logs

_TURN = 7_301_946_015  # the advisory lock by which two migrating processes take turns


def migrate() -> None:
    """Upgrade to head; harmless when the database is there already."""
    with store.engine().begin() as connection:
        # Requests are held to a deadline; a migration takes as long as it must.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_TURN})"))
        _make_schema(connection)
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")


@cache
def head() -> str | None:
    """The newest migration that this code knows."""
    return ScriptDirectory.from_config(_configuration()).get_current_head()


@cache
def _earlier() -> frozenset[str]:
    every = ScriptDirectory.from_config(_configuration()).walk_revisions()
    return frozenset(each.revision for each in every) - {head()}


def done() -> bool:
    """Whether the database has every migration that this code knows. Raises store.Unavailable.

    One that a newer release has migrated does: migrations only add.
    """
    found = store.revision()
    return found is not None and found not in _earlier()


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", "profile_app:migrations")
    configuration.set_main_option("path_separator", "os")
    return configuration


def _make_schema(connection: Connection) -> None:
    # Asked first: IF NOT EXISTS wants the right to create even where an owner has made it.
    held = text("SELECT 1 FROM pg_namespace WHERE nspname = :schema")
    if connection.scalar(held, {"schema": SCHEMA}) is None:
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))


if __name__ == "__main__":
    ending.heed_sigterm()
    logs.configure("profile", settings.current().log_level)
    if sys.argv[1:] == ["--check"]:
        sys.exit(None if done() else "The database of profile lacks a migration: run migrate.")
    migrate()
    if sys.argv[1:]:
        os.execvp(sys.argv[1], sys.argv[1:])
