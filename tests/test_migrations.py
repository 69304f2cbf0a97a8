"""Expand and contract: the program before a migration still runs after it (docs/upgrading.md)."""

import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

# What the first release of the program brings, onto empty databases.
OF_THE_FIRST_RELEASE = {"curation": "0004", "events": "0005", "training": "0001", "profile": "0001"}
# What would break the program that still runs, or hold it up for as long as the table is long.
RULES = (
    *("adding-field-with-default", "adding-foreign-key-constraint", "adding-required-field"),
    *("adding-not-nullable-field", "adding-serial-primary-key-field", "ban-drop-column"),
    *("ban-drop-not-null", "ban-drop-table", "ban-truncate-cascade", "changing-column-type"),
    *("constraint-missing-not-valid", "disallowed-unique-constraint", "renaming-column"),
    *("renaming-table", "require-concurrent-index-creation", "require-concurrent-index-deletion"),
)
SQUAWK = Path(sys.executable).with_name("squawk")


def _findings(statements: str) -> set[str]:
    told = subprocess.run(
        [str(SQUAWK), "--pg-version", "15.0", "--reporter", "gcc", "--stdin-filepath", "it.sql"],
        input=statements,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return {rule for rule in RULES if f" {rule} " in told}


def _django() -> dict[str, str]:
    """Later migration of reco → its statements."""
    found = {}
    for app, name in MigrationLoader(connection).disk_migrations:
        if app in OF_THE_FIRST_RELEASE and name[:4] > OF_THE_FIRST_RELEASE[app]:
            written = StringIO()
            call_command("sqlmigrate", app, name, stdout=written)
            found[f"{app}.{name}"] = written.getvalue()
    return found


def _alembic(scripts: Path) -> dict[str, str]:
    """Later migration of profile → its statements."""
    configuration = Config()
    configuration.set_main_option("script_location", str(scripts))
    configuration.set_main_option("path_separator", "os")
    found = {}
    for script in ScriptDirectory.from_config(configuration).walk_revisions():
        if script.revision > OF_THE_FIRST_RELEASE["profile"]:
            written = StringIO()
            options = {"as_sql": True, "output_buffer": written}
            context = MigrationContext.configure(dialect_name="postgresql", opts=options)
            with Operations.context(context):
                script.module.upgrade()
            found[f"profile.{script.revision}"] = written.getvalue()
    return found


@pytest.mark.django_db
def test_the_program_before_each_later_migration_runs_on_after_it() -> None:
    later = _django() | _alembic(Path("src/profile_app/migrations"))
    harm = {name: found for name, text in later.items() if (found := _findings(text))}
    assert harm == {}


@pytest.mark.parametrize(
    "statement",
    [
        'ALTER TABLE "events_event" DROP COLUMN "price";',
        'ALTER TABLE "events_event" RENAME COLUMN "price" TO "paid";',
        'ALTER TABLE "events_event" ADD COLUMN "shop" text NOT NULL;',
        'ALTER TABLE "events_event" ALTER COLUMN "quantity" TYPE bigint;',
        'DROP TABLE "events_event";',
        'CREATE INDEX "by_price" ON "events_event" ("price");',
    ],
)
def test_a_statement_that_only_contracts_is_found(statement: str) -> None:
    assert _findings(statement)


@pytest.mark.parametrize(
    "statement",
    [
        'ALTER TABLE "events_event" ADD COLUMN "shop" text NULL;',
        'ALTER TABLE "events_event" ADD COLUMN "shop" text DEFAULT \'\' NOT NULL;',
        'CREATE INDEX CONCURRENTLY "by_price" ON "events_event" ("price");',
        'CREATE TABLE "shops" ("id" bigint NOT NULL PRIMARY KEY);',
    ],
)
def test_a_statement_that_only_expands_is_let_through(statement: str) -> None:
    assert _findings(statement) == set()


def test_what_alembic_would_do_is_read_from_its_scripts(tmp_path: Path) -> None:
    scripts = tmp_path / "migrations"
    shutil.copytree("src/profile_app/migrations", scripts)
    (scripts / "versions" / "0002_gone.py").write_text(
        "from alembic import op\nrevision, down_revision = '0002', '0001'\n"
        "def upgrade():\n    op.drop_column('profiles', 'weights', schema='profile')\n"
    )
    assert _findings(_alembic(scripts)["profile.0002"]) == {"ban-drop-column"}
