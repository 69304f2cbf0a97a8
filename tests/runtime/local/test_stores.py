import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import redis
from pymongo import MongoClient

from runtime.local import demo, servers, stores


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own, which only its owner may enter: PostgreSQL runs as another user here."""
    with tempfile.TemporaryDirectory(prefix="multireco-stores-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_what_the_stores_hold_outlives_them(folder: Path) -> None:
    with stores.embedded(folder, given={}) as addresses:
        write(addresses)
    with stores.embedded(folder, given={}) as addresses:
        assert read(addresses) == ("kept", b"kept", {"_id": 1, "value": "kept"})


def test_an_address_in_the_environment_replaces_its_store(folder: Path) -> None:
    given = {
        "MULTIRECO_DATABASE_URL": "postgresql://elsewhere/reco",
        "MULTIRECO_PROFILE_DATABASE_URL": "postgresql://elsewhere/profile",
        "MULTIRECO_MONGODB_URL": "mongodb://elsewhere/",
    }
    with stores.embedded(folder, given=given) as addresses:
        assert given.items() <= addresses.items()
        assert not (folder / "postgres").exists()
        assert (folder / "valkey").exists()


def test_a_cluster_without_users_of_its_components_is_refused(folder: Path) -> None:
    cluster = folder / "postgres"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("18\n")
    with pytest.raises(servers.ServerFailed, match=f"Remove {folder} to begin anew"):
        stores.postgres(cluster)


def test_a_taken_port_is_refused_with_another_to_try(folder: Path) -> None:
    with stores.embedded(folder, given={}) as addresses:
        port = int(addresses["MULTIRECO_REDIS_URL"].split(":")[-1].split("/")[0])
        with pytest.raises(demo.Refused, match=f"make demo PORT={port + 1}"):
            demo.serve(folder / "other", port=port, start=lambda *_, **__: None)


def test_a_second_demo_on_the_same_data_is_refused(folder: Path) -> None:
    with (
        demo._only_one(folder),
        pytest.raises(demo.Refused, match="already runs"),
        demo._only_one(folder),
    ):
        os.abort()


def write(addresses: dict[str, str]) -> None:
    connection = psycopg2.connect(addresses["MULTIRECO_DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 'kept' AS value")
    connection.close()
    with redis.Redis.from_url(addresses["MULTIRECO_REDIS_URL"]) as client:
        client.set("kept", "kept")
    with MongoClient[dict[str, object]](addresses["MULTIRECO_MONGODB_URL"]) as mongo:
        mongo.test.kept.insert_one({"_id": 1, "value": "kept"})


def read(addresses: dict[str, str]) -> tuple[object, object, object]:
    connection = psycopg2.connect(addresses["MULTIRECO_DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT value FROM kept")
        (row,) = cursor.fetchall()
    connection.close()
    with (
        redis.Redis.from_url(addresses["MULTIRECO_REDIS_URL"]) as client,
        MongoClient[dict[str, object]](addresses["MULTIRECO_MONGODB_URL"]) as mongo,
    ):
        return row[0], client.get("kept"), mongo.test.kept.find_one()
