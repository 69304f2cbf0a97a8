"""The Celery application: where tasks run, and what happens to them when a worker dies."""

import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import Celery, Task
from celery.signals import (
    before_task_publish,
    celeryd_after_setup,
    heartbeat_sent,
    setup_logging,
    worker_process_init,
    worker_shutting_down,
)
from kombu.entity import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reco_app.settings")

from reco_app import broker, measured  # noqa: E402
from reco_app.settings import current  # noqa: E402  # Celery's Django support reads the line above
from runtime import logs, tracing  # noqa: E402

LONGEST_TASK_SECONDS = 3 * 3600  # a broker gives a silent worker's task to another after this
DRAIN_SECONDS = 15  # of the 25 that a pod has left when it hears SIGTERM
DEAD_LETTERS = "dead-letters"
CAUSE = "traceparent"  # the header that names the span which published a message
MOST_DELIVERIES = 20  # a task that ends its worker as often as this is a dead letter
# Replicated queues, and nothing on its way from one to the other is lost.
DURABLE = {"x-queue-type": "quorum"}
TASKS = DURABLE | {
    "x-delivery-limit": MOST_DELIVERIES,
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": DEAD_LETTERS,
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}


def _queues(broker_url: str) -> tuple[list[Queue], dict[str, Any]]:
    """Queues and transport options: quorum queues and confirmed publishing where there are any."""
    if not broker_url.startswith("amqp"):
        options = {"visibility_timeout": LONGEST_TASK_SECONDS, "socket_connect_timeout": 2}
        return _named({}), options
    return _named(TASKS), {"confirm_publish": True}


def _named(arguments: dict[str, Any]) -> list[Queue]:
    exchange: Any = Exchange
    queue: Any = Queue
    return [
        queue(name, exchange(name), routing_key=name, queue_arguments=arguments)
        for name in ("default", "training", "events")
    ]


def alive(role: str) -> Path:
    """The file that a process of this role touches as long as it takes turns."""
    return Path(tempfile.gettempdir(), f"alive-{role}")


def queues() -> list[str]:
    """The names of all queues that this broker has."""
    names = [queue.name for queue in _task_queues]
    return [*names, DEAD_LETTERS] if current().broker_url.startswith("amqp") else names


def declare(channel: Any) -> None:
    """Have RabbitMQ make all queues, that of dead letters too, which no worker takes from.

    Other brokers make theirs when something is put into them.
    """
    if not current().broker_url.startswith("amqp"):
        return
    dead_letters: Any = Queue
    own = dead_letters(DEAD_LETTERS, queue_arguments=DURABLE)
    for queue in (own, *_task_queues):
        queue(channel).declare()


@contextmanager
def confirmed_channel(*, seconds: float) -> Iterator[Any]:
    """A channel to RabbitMQ with all queues declared, on a connection of its own.

    No single step waits for longer than `seconds`. Raises what its connection raises.
    """
    connection: Any = app.connection_for_write(
        connect_timeout=seconds,
        transport_options={"read_timeout": seconds, "write_timeout": seconds},
    )
    try:
        connection.connect()
        channel = connection.channel()
        declare(channel)
        yield channel
    finally:
        connection.collect()  # without a word: whoever is there may be hanging


_task_queues, _transport_options = _queues(current().broker_url)
_broker_url, _broker_tls = broker.parted(current().broker_url)


class Traced(Task):  # type: ignore[misc]  # Celery ships no types
    """Goes on with the trace that its message came from."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with tracing.working(f"task {self.name}", cause=getattr(self.request, CAUSE, None) or ""):
            return self.run(*args, **kwargs)


app = Celery("multireco", task_cls=Traced)
app.conf.update(
    broker_url=_broker_url,
    broker_use_ssl=_broker_tls,
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=2,
    broker_transport_options=_transport_options,
    task_queues=_task_queues,
    task_default_queue="default",
    task_routes={
        "training.train": {"queue": "training"},
        "events.store": {"queue": "events"},
    },
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_consumer="reco_app.consumer:Impatient",
    # Nobody sends workers orders, and the queue for them belongs to one worker of a machine alone:
    # a second one, or one that starts again before the broker misses the first, would end.
    worker_enable_remote_control=False,
    worker_concurrency=max(2, os.cpu_count() or 1),  # events do not wait while one trains
    beat_scheduler="reco_app.beat:Patient",
    timezone="UTC",
)
app.autodiscover_tasks()
app.Task.Request = "reco_app.measured:Measured"
app.user_options["worker"].add(measured.LISTEN)
app.steps["worker"].add(measured.Listening)
before_task_publish.connect(measured.stamp)


@setup_logging.connect  # type: ignore[untyped-decorator]  # Celery ships no types
def _log_as_everybody(**_: Any) -> None:
    logs.configure("worker", current().log_level)


@before_task_publish.connect  # type: ignore[untyped-decorator]  # Celery ships no types
def _tell_cause(headers: dict[str, Any], **_: Any) -> None:
    if cause := tracing.here():
        headers[CAUSE] = cause


@worker_process_init.connect  # type: ignore[untyped-decorator]  # Celery ships no types
def _trace(**_: Any) -> None:
    """In each process that runs tasks, for what exports spans is a thread."""
    tracing.configure("worker")


@celeryd_after_setup.connect  # type: ignore[untyped-decorator]  # Celery ships no types
def _make_queues(**_: Any) -> None:
    """A worker itself makes those alone that it takes from."""
    with app.connection_for_write() as connection:
        connection.ensure_connection(**broker.EVERY_SECOND)
        declare(connection.default_channel)


@heartbeat_sent.connect  # type: ignore[untyped-decorator]  # Celery ships no types
def _tell_alive(**_: Any) -> None:
    alive("worker").touch()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]  # Celery ships no types
def _end_in_time(*, how: str, **_: Any) -> None:
    """A task that takes longer, as training does, goes back to its queue for another worker."""
    if how != "Warm":
        return
    last = threading.Timer(DRAIN_SECONDS, os.kill, (os.getpid(), signal.SIGQUIT))
    last.daemon = True
    last.start()
