import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django_celery_beat.models import PeriodicTask
from kombu import Connection
from kombu.exceptions import OperationalError

from reco_app import worker
from reco_app.consumer import Impatient
from reco_app.training import timetable
from reco_app.worker import app


def test_a_task_is_acknowledged_only_when_done_and_comes_back_from_a_dead_worker() -> None:
    conf = app.conf

    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.accept_content == ["json"]


def test_rabbitmq_gets_quorum_queues_and_confirmed_publishing() -> None:
    queues, options = worker._queues("amqp://localhost")

    assert {queue.name for queue in queues} == {"default", "training", "events"}
    assert {queue.queue_arguments["x-queue-type"] for queue in queues} == {"quorum"}
    assert options == {"confirm_publish": True}


def test_a_worker_looks_for_a_lost_broker_every_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.conf, "broker_connection_max_retries", 3)
    looking = Impatient.__new__(Impatient)  # as it is once it has lost its broker
    looking.app, looking.first_connection_attempt = app, False
    looking.broker_connection_retry_attempt = 0
    began = time.monotonic()

    with pytest.raises(OperationalError):
        looking.ensure_connected(Connection("amqp://guest@127.0.0.1:1//"))

    assert app.conf.worker_consumer == "reco_app.consumer:Impatient"
    assert time.monotonic() - began < 6  # Celery alone would take twelve


def test_every_task_of_the_timetable_exists(transactional_db: None) -> None:
    timetable.complete()
    app.loader.import_default_modules()

    assert set(PeriodicTask.objects.values_list("task", flat=True)) >= set(timetable.TIMES)
    assert set(timetable.TIMES) <= set(app.tasks)


def test_what_operators_change_in_the_timetable_stays(transactional_db: None) -> None:
    timetable.complete()
    PeriodicTask.objects.filter(task="training.train").update(enabled=False)

    timetable.complete()

    assert [one.enabled for one in PeriodicTask.objects.filter(task="training.train")] == [False]


def test_expired_events_go_before_a_release_is_trained() -> None:
    _, *expire = timetable.TIMES["events.expire"]
    _, *train = timetable.TIMES["training.train"]

    assert [int(part) for part in expire] < [int(part) for part in train]


@pytest.fixture
def worker_log(environment: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """What a real worker on the embedded broker writes."""
    command = [sys.executable, "-m", "celery", "--app", "reco_app.worker:app", "worker"]
    own = {**environment, "TMPDIR": str(tmp_path)}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([*command, "--pool", "solo"], stdout=log, env=own)
        yield Path(log.name)
        process.terminate()
        process.wait(timeout=30)


def test_a_worker_shows_that_it_takes_turns_in_a_file_of_its_own(worker_log: Path) -> None:
    deadline = time.monotonic() + 60
    while not list(worker_log.parent.glob("alive*")) and time.monotonic() < deadline:
        time.sleep(0.2)

    assert [file.name for file in worker_log.parent.glob("alive*")] == ["alive-worker"]


def test_a_worker_does_each_task_once_whatever_its_queue(worker_log: Path) -> None:
    app.send_task("training.prune")
    app.send_task("events.expire", queue="training")

    deadline = time.monotonic() + 60
    while worker_log.read_text().count("succeeded") < 2 and time.monotonic() < deadline:
        time.sleep(0.2)

    said = worker_log.read_text()
    assert said.count("Task training.prune") == 2  # received, and succeeded
    assert said.count("Task events.expire") == 2
