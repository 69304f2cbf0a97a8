"""The stores of the drills: each can be stopped, and started again where it was."""

import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import redis

from bench.drills import disks
from runtime.local import stores
from runtime.local.servers import accepts, free_port
from tests import debian
from tests.faults import proxy

DISK_MEGABYTES = 1536  # PostgreSQL may keep a gibibyte of its log


class Store:
    """One server; `address` holds whether it runs or not."""

    def __init__(self, running: Callable[[], AbstractContextManager[str]]) -> None:
        self._running = running
        self._stack = ExitStack()
        self.address = ""
        self.start()

    def start(self) -> None:
        """Returns when it answers."""
        self.address = self._stack.enter_context(self._running())

    def stop(self) -> None:
        """Returns when it has ended; a second time does no harm."""
        self._stack.close()


class Stores(NamedTuple):
    """All of them, the settings that name them, and the disk that PostgreSQL has to itself."""

    postgres: Store
    redis: Store
    rabbitmq: Store
    mongodb: Store
    mongodb_proxy: proxy.Threaded
    environment: dict[str, str]
    disk: Path

    def each(self) -> tuple[Store, ...]:
        return self.postgres, self.redis, self.rabbitmq, self.mongodb

    def redis_process(self) -> int:
        with redis.Redis.from_url(self.redis.address) as client:
            return int(client.info("server")["process_id"])  # type: ignore[index]

    def kill_postgres(self) -> None:
        """As `pg_ctl stop -m immediate`: no word to anybody, recovery at the next start."""
        told = (self.disk / "postgres" / "postmaster.pid").read_text()
        os.kill(int(told.splitlines()[0]), signal.SIGQUIT)
        self.postgres.stop()

    def revive_postgres(self) -> None:
        """Start it if it has ended by itself, as whoever supervises it would."""
        if not accepts(urlsplit(self.postgres.address).port or 0):
            self.postgres.stop()
            self.postgres.start()


@contextmanager
def running(folder: Path) -> Iterator[Stores]:
    """PostgreSQL, Redis and RabbitMQ of Debian; MongoDB's wire protocol from a wheel, by proxy."""
    ports: defaultdict[str, int] = defaultdict(free_port)  # chosen at the first start
    disk = folder / "disk"
    with ExitStack() as stack:
        stack.enter_context(disks.mounted(disk, megabytes=DISK_MEGABYTES))

        def begun(start: Callable[[], AbstractContextManager[str]]) -> Store:
            store = Store(start)
            stack.callback(store.stop)
            return store

        users: dict[str, str] = {}
        postgres = begun(lambda: _postgres(disk / "postgres", ports["postgres"], users))
        cache = begun(lambda: debian.redis(folder / "redis", port=ports["redis"]))
        broker = begun(lambda: debian.rabbitmq(folder / "rabbitmq", port=ports["rabbitmq"]))
        mongodb = begun(lambda: _mongodb(folder / "mongodb", ports["mongodb"]))
        network, port = stack.enter_context(proxy.in_a_thread(ports["mongodb"]))
        environment = {
            "MULTIRECO_DATABASE_URL": users["reco"],
            "MULTIRECO_PROFILE_DATABASE_URL": users["profile"],
            "MULTIRECO_REDIS_URL": f"{cache.address}0",
            "MULTIRECO_BROKER_URL": broker.address,
            "MULTIRECO_MONGODB_URL": mongodb.address.replace(str(ports["mongodb"]), str(port)),
        }
        yield Stores(postgres, cache, broker, mongodb, network, environment, disk)


@contextmanager
def _postgres(data: Path, port: int, users: dict[str, str]) -> Iterator[str]:
    binaries = max(Path("/usr/lib/postgresql").iterdir()) / "bin"
    server, addresses = stores.postgres(data, binaries=binaries, port=port)
    users.update(addresses)
    try:
        yield addresses["reco"]
    finally:
        server.stop()


@contextmanager
def _mongodb(data: Path, port: int) -> Iterator[str]:
    server, address = stores.mongodb(data, port=port)
    try:
        yield address
    finally:
        server.stop()
