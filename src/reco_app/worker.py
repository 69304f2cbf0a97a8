"""The Celery application: where tasks run, and what happens to them when a worker dies."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu.entity import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reco_app.settings")

from reco_app.settings import current  # noqa: E402  # Celery's Django support reads the line above
from runtime import logs  # noqa: E402

LONGEST_TASK_SECONDS = 3 * 3600  # a broker gives a silent worker's task to another after this


def _queues(broker_url: str) -> tuple[list[Queue], dict[str, Any]]:
    """Queues and transport options: quorum queues and confirmed publishing where there are any."""
    if not broker_url.startswith("amqp"):
        options = {"visibility_timeout": LONGEST_TASK_SECONDS, "socket_connect_timeout": 2}
        return _named({}), options
    return _named({"x-queue-type": "quorum"}), {"confirm_publish": True}


def _named(arguments: dict[str, str]) -> list[Queue]:
    exchange: Any = Exchange
    queue: Any = Queue
    return [
        queue(name, exchange(name), routing_key=name, queue_arguments=arguments)
        for name in ("default", "training")
    ]


_task_queues, _transport_options = _queues(current().broker_url)

app = Celery("multireco")
app.conf.update(
    broker_url=current().broker_url,
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=2,
    broker_transport_options=_transport_options,
    task_queues=_task_queues,
    task_default_queue="default",
    task_routes={"training.train": {"queue": "training"}},
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    beat_scheduler="django_celery_beat.schedulers:DatabaseScheduler",
    timezone="UTC",
)
app.autodiscover_tasks()


@setup_logging.connect  # type: ignore[untyped-decorator]  # Celery ships no types
def _log_as_everybody(**_: Any) -> None:
    logs.configure("worker", current().log_level)
