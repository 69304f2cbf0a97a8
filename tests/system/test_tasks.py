"""Celery's worker on RabbitMQ: what is sent is done, and outlives the one who does it."""

import time

import pytest
from amqp.exceptions import PreconditionFailed
from kombu import Connection

from reco_app import worker
from runtime.local.processes import Processes
from tests.shops import Shop


@pytest.fixture
def broker(split: Shop) -> str:
    return split.environment["MULTIRECO_BROKER_URL"]


@pytest.mark.debian
@pytest.mark.parametrize("queue", ["default", "training"])
def test_a_task_that_is_sent_is_done(split, broker, queue):
    done_before = _done(split, "events.expire")

    split.run("celery", "--app", "reco_app.worker:app", "call", "events.expire", "--queue", queue)

    deadline = time.monotonic() + 30
    while _done(split, "events.expire") == done_before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _done(split, "events.expire") == done_before + 1


@pytest.mark.debian
def test_a_second_worker_on_the_same_machine_takes_its_share(split, tmp_path):
    with Processes(split.environment, tmp_path) as processes:
        second = processes.start("worker")

        deadline = time.monotonic() + 60
        while not (said := (tmp_path / "worker.log").read_text()).count(" ready."):
            assert second.running(), said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)


@pytest.mark.debian
@pytest.mark.parametrize(
    ("queue", "arguments"),
    [
        ("default", worker.TASKS),
        ("training", worker.TASKS),
        ("events", worker.TASKS),
        (worker.DEAD_LETTERS, worker.DURABLE),
    ],
)
def test_queues_are_replicated_ones(broker, queue, arguments):
    with Connection(broker) as connection:
        declare = connection.default_channel.queue_declare
        declare(queue, arguments=arguments, durable=True, auto_delete=False)

        with pytest.raises(PreconditionFailed):
            declare(queue, durable=True, auto_delete=False)


def _done(shop: Shop, task: str) -> int:
    said = (shop.logs / "worker.log").read_text().splitlines()
    return sum(task in line and "succeeded" in line for line in said)
