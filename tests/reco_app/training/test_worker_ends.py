"""What becomes of a worker that is asked to end while it works."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kombu import Connection

from tests import debian, servers

# A real worker with one task more, which it sends to itself, and which takes as long as it is told.
WORKER = """
import sys, time
from celery.signals import worker_ready
from reco_app import worker
worker.DRAIN_SECONDS = 2
@worker.app.task(name="tests.work")
def work(seconds):
    print("begun", flush=True)
    time.sleep(seconds)
    print("done", flush=True)
@worker_ready.connect
def send(**_):
    work.delay(int(sys.argv[1]))
worker.app.worker_main(["worker", "--without-gossip", "--without-mingle", "--concurrency", "2"])
"""


@pytest.mark.debian
@pytest.mark.parametrize(
    ("seconds", "done", "left"), [(1, True, 0), (120, False, 1)], ids=["short", "long"]
)
def test_short_tasks_are_finished_and_long_ones_go_back_to_their_queue(
    environment, tmp_path, seconds, done, left
):
    servers.need("RabbitMQ")
    log = tmp_path / "log"
    with (
        debian.rabbitmq(tmp_path / "rabbitmq") as broker,
        _worker({**environment, "MULTIRECO_BROKER_URL": broker}, seconds, log) as running,
    ):
        _wait_for("begun", log)
        began = time.monotonic()

        running.send_signal(signal.SIGTERM)

        running.wait(timeout=25)
        assert time.monotonic() - began < 12
        assert ("done" in log.read_text()) is done
        assert _waiting(broker) == left


@contextmanager
def _worker(
    environment: dict[str, str], seconds: int, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", WORKER, str(seconds)]
    with (
        log.open("w") as output,
        subprocess.Popen(command, env=environment, stdout=output, stderr=output) as running,
    ):
        try:
            yield running
        finally:
            running.kill()


def _wait_for(words: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while words not in (said := log.read_text()):
        assert time.monotonic() < deadline, said
        time.sleep(0.1)


def _waiting(broker: str) -> int:
    with Connection(broker) as connection:
        return connection.default_channel.queue_declare("default", passive=True).message_count
