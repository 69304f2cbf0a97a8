"""What waits in the broker's queues, for Prometheus; told by the relay.

Each look at RabbitMQ declares all queues, and so makes those that are missing.
"""

from collections.abc import Iterator
from time import monotonic
from typing import Any

from prometheus_client.core import Metric
from redis import RedisError

from reco_app import worker
from reco_app.events import dead_letters
from reco_app.events.models import DeadLetter
from reco_app.scraped import Scraped, gauge, gauges, in_postgresql

_empty_at: dict[str, float] = {}
"""When each queue was seen without a message last."""


def waiting() -> Scraped:
    """Lengths of the queues, and for how long they were never empty when looked at."""
    return Scraped(_waiting, away=(*dead_letters.TROUBLE, RedisError))


def undone() -> Scraped:
    """Dead letters that staff have not dealt with."""
    return in_postgresql(_undone)


def _waiting() -> Iterator[Metric]:
    with worker.confirmed_channel(seconds=dead_letters.SECONDS) as channel:
        told = {queue: _length(channel, queue) for queue in worker.queues()}
    now = monotonic()
    for queue, messages in told.items():
        if not messages:
            _empty_at[queue] = now
    yield gauges(
        "multireco_queue_messages",
        "Messages that no worker has taken yet.",
        "queue",
        told.items(),
    )
    yield gauges(
        "multireco_queue_not_empty_seconds",
        "For how long a queue had messages whenever it was looked at: the oldest is no older.",
        "queue",
        ((queue, now - _empty_at.setdefault(queue, now)) for queue in told),
    )


def _length(channel: Any, queue: str) -> int:
    """Elsewhere than in RabbitMQ a queue that nothing was put into is not there: it is empty."""
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except channel.connection.client.channel_errors:
        return 0


def _undone() -> Iterator[Metric]:
    yield gauge(
        "multireco_dead_letters",
        "Tasks that could not be done and wait for staff.",
        DeadLetter.objects.count(),
    )
