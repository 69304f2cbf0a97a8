"""Intake through RabbitMQ, as real processes: nothing that was acknowledged is lost or doubled."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg2
import pytest
from amqp.exceptions import NotFound
from django.conf import settings as django_settings
from django.db import connection, connections
from kombu import Connection

from reco_app.events.models import Event
from runtime.local.processes import Processes, address_of, wait_until_ready
from runtime.local.servers import free_port
from tests import debian, servers

pytestmark = [
    pytest.mark.usefixtures("shop"),
    pytest.mark.debian,
    pytest.mark.timeout(900),  # four servers start, on a machine that may be busy
]
SECRET_SESSION = "a-session-id-as-the-browser-knows-it"


class Intake:
    """A reco process on this test's database, a broker, and a worker where a test wants one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port, self._web = free_port(), free_port()
        self._broker = ExitStack()
        self.broker_url = ""
        self.start_broker()
        database = django_settings.DATABASES["default"]
        who = f"{database['USER']}:{database['PASSWORD']}"
        place = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
        self._processes = Processes(
            {
                **os.environ,
                "MULTIRECO_MODEL_DIR": str(folder / "models"),
                "MULTIRECO_BROKER_URL": self.broker_url,
                "MULTIRECO_DATABASE_URL": f"postgresql://{who}@{place}",
            },
            folder / "logs",
        )

    def start_broker(self) -> None:
        self.broker_url = self._broker.enter_context(
            debian.rabbitmq(self._folder / "rabbitmq", port=self._port)
        )

    def stop_broker(self) -> None:
        self._broker.close()

    def start(self) -> None:
        self._processes.__enter__()
        self._processes.start("reco", port=self._web)
        wait_until_ready(self._processes)

    def start_worker(self) -> Any:
        return self._processes.start("worker")

    def stop(self) -> None:
        self._processes.__exit__()
        self.stop_broker()

    def post(self, *names: str) -> httpx2.Response:
        events = [
            {"event_id": name, "session_id": SECRET_SESSION, "event_type": "view"}
            | {"item_id": "22423"}
            for name in names
        ]
        body = {"events": events, "consent": True}
        return httpx2.post(f"{address_of(self._web)}/v1/events", json=body, timeout=20)

    def queued(self) -> int:
        """How many messages wait for a worker; none before the publisher has made the queue."""
        with Connection(self.broker_url) as broker:
            try:
                told = broker.default_channel.queue_declare("events", passive=True)
            except NotFound:
                return 0
            return int(told.message_count)

    def bodies(self) -> list[str]:
        """What the queue holds; it stays there."""
        with Connection(self.broker_url) as broker:
            got = iter(lambda: broker.default_channel.basic_get("events", no_ack=False), None)
            return [str(message.body) for message in got]

    def post_until_queued(self, name: str) -> None:
        """The publisher connects on its own time; events go to PostgreSQL until it has."""
        until(lambda: self.post(f"{name}-{time.monotonic_ns()}") and self.queued() > 0)


def until(seen: Callable[[], bool], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline, "not seen in time"
        time.sleep(0.1)


@pytest.fixture
def intake(open_folder: Path) -> Iterator[Intake]:
    servers.need("RabbitMQ")
    intake = Intake(open_folder)
    try:
        intake.start()
        yield intake
    finally:
        intake.stop()


@contextmanager
def database_away() -> Iterator[None]:
    """Nobody can connect to this test's database, and who was connected is no more."""
    name = django_settings.DATABASES["default"]["NAME"]
    parameters = connection.get_connection_params() | {"dbname": "postgres"}
    parameters.pop("cursor_factory", None)
    connections.close_all()
    keeper = psycopg2.connect(**parameters)
    keeper.autocommit = True
    with keeper.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        try:
            yield
        finally:
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            keeper.close()


def test_events_wait_in_the_queue_without_their_sessions_while_postgresql_is_away(
    intake: Intake,
) -> None:
    intake.post_until_queued("before")
    before = Event.objects.count()
    waiting = intake.queued()

    with database_away():
        answer = intake.post("a", "b", "b")
        bodies = intake.bodies()

    assert answer.status_code == 202, answer.text
    assert answer.json() == {"accepted": 2, "duplicates": 1, "rejected": []}
    assert len(bodies) == waiting + 1
    assert "22423" in bodies[-1]
    assert SECRET_SESSION not in "".join(bodies)
    intake.start_worker()
    until(lambda: Event.objects.count() == before + waiting + 2)


def test_a_worker_killed_in_mid_batch_loses_nothing_and_doubles_nothing(intake: Intake) -> None:
    intake.post_until_queued("before")
    stored = Event.objects.count() + intake.queued()
    worker = intake.start_worker()
    until(lambda: Event.objects.count() == stored)

    with connection.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE events_eventid IN EXCLUSIVE MODE")
        for batch in range(10):
            names = [f"{batch}-{number}" for number in range(20)]
            assert intake.post(*names).status_code == 202
        until(lambda: _waits_for_a_lock(cursor))
        os.killpg(worker.child.pid, signal.SIGKILL)
        worker.child.wait()
        cursor.execute("COMMIT")
    intake.start_worker()

    until(lambda: Event.objects.count() >= stored + 200)
    until(lambda: intake.queued() == 0)
    assert Event.objects.count() == stored + 200
    assert Event.objects.values("event_id").distinct().count() == stored + 200


def _waits_for_a_lock(cursor: Any) -> bool:
    cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
    return bool(cursor.fetchone()[0])


def test_postgresql_takes_over_from_a_broker_that_is_away_and_nothing_is_taken_without_both(
    intake: Intake,
) -> None:
    intake.post_until_queued("before")
    before = Event.objects.count()
    intake.stop_broker()

    assert intake.post("a").status_code == 202
    assert Event.objects.count() == before + 1
    with database_away():
        refused = intake.post("b")
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert refused.headers["Retry-After"] == "2"

    intake.start_broker()
    intake.post_until_queued("after")
