"""Tasks that could not be done: taken over from RabbitMQ's queue of dead letters, for staff to see.

A letter is kept here before it leaves the queue, and in the queue again before it leaves from here.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from amqp import exceptions as amqp
from django.db import DataError, transaction
from kombu.exceptions import OperationalError

from reco_app import worker
from reco_app.events.models import DeadLetter
from reco_app.settings import current

MOST_AT_ONCE = 500
UNREADABLE = "holds what no text can"
SECONDS = 2.0
DEFAULT_QUEUE = "default"
TROUBLE = (amqp.AMQPError, amqp.MessageNacked, OSError, OperationalError)


class Unreachable(Exception):
    """The broker does not answer; nothing was lost."""


def has_queue() -> bool:
    """Other brokers than RabbitMQ have no dead letters: there a task that fails is logged alone."""
    return current().broker_url.startswith("amqp")


def collect() -> int:
    """Take over what is in the queue; returns how many. Raises Unreachable."""
    if not has_queue():
        return 0
    with _channel() as channel:
        for taken in range(MOST_AT_ONCE):
            message = channel.basic_get(worker.DEAD_LETTERS, no_ack=False)
            if message is None:
                return taken
            _kept(message)
            channel.basic_ack(message.delivery_tag)
    return MOST_AT_ONCE


def retry(letter: DeadLetter) -> None:
    """Send the task to its queue once more. Raises Unreachable."""
    with _channel() as channel:
        worker.app.amqp.Producer(channel).publish(
            letter.body,
            routing_key=letter.queue,
            headers=letter.headers,
            content_type="application/json",
            content_encoding="utf-8",
            mandatory=True,
            confirm_timeout=SECONDS,
        )
    letter.delete()


def told(letter: DeadLetter) -> str:
    """What the task was given, to be read by people."""
    try:
        arguments, named, *_ = json.loads(letter.body)
        if isinstance(named.get("delivery"), str):
            named = named | {"delivery": json.loads(named["delivery"])}
        return json.dumps({"args": arguments, "kwargs": named}, indent=1, ensure_ascii=False)
    except (ValueError, AttributeError):
        return letter.body


def expire(before: datetime) -> None:
    DeadLetter.objects.filter(arrived_at__lt=before).delete()


def _kept(message: Any) -> None:
    headers, body = message.headers or {}, message.body
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    letter = DeadLetter(
        arrived_at=datetime.now(UTC),
        queue=str(headers.get("x-first-death-queue", DEFAULT_QUEUE))[:64],
        task=str(headers.get("task", ""))[:128],
        reason=str(headers.get("x-first-death-reason", ""))[:64],
        headers={name: value for name, value in headers.items() if not name.startswith("x-")},
        body=text,
    )
    try:
        with transaction.atomic():
            letter.save()
    except (DataError, TypeError, ValueError):  # zero bytes, half characters: no task of ours
        letter.headers, letter.body = {}, _escaped(text)
        letter.queue, letter.task = _escaped(letter.queue)[:64], _escaped(letter.task)[:128]
        letter.reason = UNREADABLE
        letter.save()


def _escaped(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")


@contextmanager
def _channel() -> Iterator[Any]:
    try:
        with worker.confirmed_channel(seconds=SECONDS) as channel:
            yield channel
    except TROUBLE as error:
        raise Unreachable(f"RabbitMQ does not answer: {error}") from error
