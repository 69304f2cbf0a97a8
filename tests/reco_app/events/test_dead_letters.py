"""On a real RabbitMQ: what a worker refuses is found in the admin, and sent again from there."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from kombu import Connection

from reco_app import worker
from reco_app.events import dead_letters
from reco_app.events.models import DeadLetter
from reco_app.settings import current
from tests import debian, servers

PAGE = "/admin/events/deadletter/"


@pytest.fixture
def broker(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> Iterator[Connection]:
    """RabbitMQ with the queues, and in its dead letters one task that cannot be done."""
    servers.need("RabbitMQ")
    with debian.rabbitmq(open_folder / "rabbitmq") as url:
        queues, options = worker._queues(url)

        def connect(transport_options: Any = None, **given: Any) -> Connection:
            both = {**options, **(transport_options or {})}
            return Connection(url, transport_options=both, **given)

        monkeypatch.setattr(worker, "_task_queues", queues)
        monkeypatch.setattr(worker.app, "connection_for_write", connect)
        settings = current().model_copy(update={"broker_url": url})
        for reader in (dead_letters, worker):
            monkeypatch.setattr(reader, "current", lambda: settings)
        with Connection(url) as connection:
            worker.declare(connection.default_channel)
            _refused(connection, queues[-1])
            yield connection


def _refused(connection: Connection, events: Any) -> None:
    """A delivery that nobody can read comes, is refused, and lies in the queue of dead letters."""
    task = worker.app.signature("events.store", kwargs={"delivery": "unreadable"})
    task.apply_async(producer=worker.app.amqp.Producer(connection.default_channel), queue=events)
    channel: Any = connection.default_channel
    channel.basic_reject(_next(channel, "events").delivery_tag, requeue=False)


def _next(channel: Any, queue: str) -> Any:
    deadline = time.monotonic() + 30
    while (message := channel.basic_get(queue)) is None:
        assert time.monotonic() < deadline, f"nothing came to {queue}"
        time.sleep(0.1)
    return message


def _collected() -> DeadLetter:
    deadline = time.monotonic() + 30
    while not dead_letters.collect():
        assert time.monotonic() < deadline, "no letter came"
        time.sleep(0.1)
    return DeadLetter.objects.get()


@pytest.mark.debian
@pytest.mark.urls("reco_app.urls")
def test_a_dead_letter_is_read_and_sent_again(broker: Connection, admin_client: Client) -> None:
    letter = _collected()
    assert (letter.task, letter.queue, letter.reason) == ("events.store", "events", "rejected")
    page = admin_client.get(f"{PAGE}{letter.pk}/change/").content.decode()
    assert "unreadable" in page

    admin_client.post(PAGE, {"action": "retry", "_selected_action": [letter.pk]})

    assert DeadLetter.objects.count() == 0
    again = _next(broker.default_channel, "events")
    assert again.headers["task"] == "events.store"
    assert again.headers["id"] == letter.headers["id"]
    assert again.body == letter.body


@pytest.mark.debian
def test_a_letter_that_no_text_can_hold_keeps_none_behind_it(broker: Connection) -> None:
    producer = worker.app.amqp.Producer(broker.default_channel)
    producer.publish(
        b"\x00 is no text",
        routing_key=worker.DEAD_LETTERS,
        headers={"task": "\x00", "argsrepr": "\ud800"},
        content_type="application/data",
        content_encoding="binary",
    )
    deadline = time.monotonic() + 30
    while DeadLetter.objects.count() < 2:
        assert time.monotonic() < deadline, "a letter is missing"
        dead_letters.collect()

    unreadable = DeadLetter.objects.get(reason=dead_letters.UNREADABLE)
    assert unreadable.body == r"\0 is no text"


@pytest.mark.urls("reco_app.urls")
@pytest.mark.django_db
def test_where_there_is_no_such_queue_the_page_says_so(admin_client: Client) -> None:
    assert "no queue of dead letters" in admin_client.get(PAGE).content.decode()


@pytest.mark.urls("reco_app.urls")
@pytest.mark.django_db
def test_a_dead_letter_that_staff_delete_is_dropped(admin_client: Client) -> None:
    letter = DeadLetter.objects.create(
        arrived_at=datetime.now(UTC), queue="events", task="events.store", headers={}, body="[]"
    )

    admin_client.post(f"{PAGE}{letter.pk}/delete/", {"post": "yes"})

    assert DeadLetter.objects.count() == 0
