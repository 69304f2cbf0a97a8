"""Stores that speak TLS alone, to those who show a certificate: the addresses say all of it."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import psycopg2
import pymongo
import pytest
import redis
from kombu import Connection

from reco_app.broker import parted
from runtime.local import stores
from runtime.local.certificates import Authority
from runtime.local.processes import start_mounted
from runtime.local.servers import Server, accepts, free_port
from tests import debian, servers
from tests.shops import Shop, selling

NAMES = {  # what libpq, redis-py, RabbitMQ's clients and pymongo call the same three files
    "postgresql": {"tls.crt": "sslcert", "tls.key": "sslkey", "ca.crt": "sslrootcert"},
    "rediss": {"tls.crt": "ssl_certfile", "tls.key": "ssl_keyfile", "ca.crt": "ssl_ca_certs"},
    "amqps": {"tls.crt": "certfile", "tls.key": "keyfile", "ca.crt": "cacertfile"},
    "mongodb": {"tls.pem": "tlsCertificateKeyFile", "ca.crt": "tlsCAFile"},
}
MORE = {"postgresql": "&sslmode=verify-full", "mongodb": "&tls=true"}


def with_certificate(address: str, folder: Path) -> str:
    """The address, with all that is needed to be let in."""
    scheme = address.partition(":")[0]
    files = "&".join(f"{name}={folder / file}" for file, name in NAMES[scheme].items())
    return f"{address}{'&' if '?' in address else '?'}{files}{MORE.get(scheme, '')}"


def without_certificate(address: str) -> str:
    """The same address, of somebody who trusts the server but has nothing to show."""
    own = ("sslcert=", "sslkey=", "ssl_certfile=", "ssl_keyfile=", "certfile=", "keyfile=")
    bare, _, query = address.partition("?")
    kept = [one for one in query.split("&") if not one.startswith((*own, "tlsCertificateKey"))]
    return f"{bare}?{'&'.join(kept)}"


@contextmanager
def postgres(folder: Path, secured: Path) -> Iterator[dict[str, str]]:
    binaries = max(Path("/usr/lib/postgresql").iterdir()) / "bin"
    server, _ = stores.postgres(folder, binaries=binaries)
    server.stop()
    for name in ("tls.crt", "tls.key", "ca.crt"):
        shutil.copy(secured / name, folder / name)
        shutil.chown(folder / name, folder.owner())
    with (folder / "postgresql.conf").open("a") as settings:
        settings.write("ssl = on\nssl_cert_file = 'tls.crt'\nssl_key_file = 'tls.key'\n")
        settings.write("ssl_ca_file = 'ca.crt'\n")
    (folder / "pg_hba.conf").write_text(
        "hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n"
    )
    server, users = stores.postgres(folder, binaries=binaries)
    try:
        yield users
    finally:
        server.stop()


@contextmanager
def mongodb(folder: Path, secured: Path) -> Iterator[str]:
    folder.mkdir()
    port = free_port()
    server = Server(
        "MongoDB's wire protocol",
        [
            str(Path(sys.executable).with_name("secantusd-py")),
            *("--host", "127.0.0.1", "--port", str(port), "--storage-path", str(folder)),
            *("--tls-cert-file", str(secured / "tls.crt"), "--tls-key-file"),
            *(str(secured / "tls.key"), "--tls-ca-file", str(secured / "ca.crt")),
            "--tls-require-client-cert",
        ],
        log=folder.with_suffix(".log"),
        ready=lambda: accepts(port),
    )
    try:
        server.wait_until_ready()
        yield f"mongodb://127.0.0.1:{port}/?journal=true"
    finally:
        server.stop()


@pytest.fixture(scope="module")
def shop(shop_folders: Path) -> Iterator[Shop]:
    """The whole product on such stores."""
    servers.need("PostgreSQL", "Redis", "RabbitMQ")
    folder = shop_folders / "stores-over-tls"
    authority = Authority(folder / "tls")
    own = authority.folder("shop")
    (own / "tls.pem").write_bytes((own / "tls.crt").read_bytes() + (own / "tls.key").read_bytes())
    with (
        postgres(folder / "postgres", authority.folder("postgres")) as users,
        debian.redis(folder / "redis", secured=authority.folder("redis")) as cache,
        debian.rabbitmq(folder / "rabbitmq", secured=authority.folder("rabbitmq")) as broker,
        mongodb(folder / "mongodb", authority.folder("mongodb")) as documents,
    ):
        given = {
            "MULTIRECO_DATABASE_URL": users["reco"],
            "MULTIRECO_PROFILE_DATABASE_URL": users["profile"],
            "MULTIRECO_REDIS_URL": f"{cache}0",
            "MULTIRECO_BROKER_URL": broker,
            "MULTIRECO_MONGODB_URL": documents,
        }
        addresses = {name: with_certificate(address, own) for name, address in given.items()}
        with selling(addresses, folder, start_mounted) as shop:
            yield shop


def ask_postgres(address: str) -> None:
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def ask_redis(address: str) -> None:
    with redis.Redis.from_url(address) as client:
        client.ping()


def ask_broker(address: str) -> None:
    bare, tls = parted(address)
    with Connection(bare, ssl=tls, connect_timeout=3) as connection:
        connection.connect()


def ask_mongodb(address: str) -> None:
    with pymongo.MongoClient(address, serverSelectionTimeoutMS=2000) as client:
        client.admin.command("ping")


@pytest.mark.parametrize(
    ("setting", "ask"),
    [
        ("DATABASE_URL", ask_postgres),
        ("PROFILE_DATABASE_URL", ask_postgres),
        ("REDIS_URL", ask_redis),
        ("BROKER_URL", ask_broker),
        ("MONGODB_URL", ask_mongodb),
    ],
)
def test_a_store_lets_in_those_alone_who_show_a_certificate(
    shop: Shop, setting: str, ask: Callable[[str], None]
) -> None:
    address = shop.environment[f"MULTIRECO_{setting}"]
    ask(address)
    with pytest.raises(Exception, match="(?i)certificate|handshake|ssl|reset|closed|selection"):
        ask(without_certificate(address))


def test_every_part_of_the_product_finds_its_stores(shop):
    shop.run(sys.executable, "manage.py", "doctor")
    assert httpx2.get(shop.url("/readyz")).json()["status"] == "ready"


def test_an_event_comes_through_the_broker_into_the_database(shop):
    before = stored(shop)
    event = {"event_id": "over-tls", "session_id": "s", "event_type": "view", "item_id": "pasta-1"}
    told = httpx2.post(shop.url("/v1/events"), json={"events": [event], "consent": True})
    deadline = time.monotonic() + 20
    while stored(shop) == before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert told.status_code == 202
    assert stored(shop) == before + 1


def stored(shop: Shop) -> int:
    with (
        closing(psycopg2.connect(shop.environment["MULTIRECO_DATABASE_URL"])) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM events_event")
        ((count,),) = cursor.fetchall()
    return int(count)
