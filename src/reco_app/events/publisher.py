"""Puts deliveries into RabbitMQ's quorum queue, each confirmed before its sender is told.

One thread holds one confirmed channel. What comes in while a confirm is awaited goes out with the
next message, so that the queue's commits are shared by all who wait. While the broker is away
nobody waits at all: callers are told at once, and the thread tries to connect again.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from reco_app import worker
from reco_app.events import effect, messages
from reco_app.events.messages import Delivery
from runtime import metrics, tracing

TASK = "events.store"
CONFIRM_SECONDS = 1.0
IDLE_SECONDS = 1.0  # how soon a broker that went away is noticed while nothing is sent
AGAIN_SECONDS = 0.5
MOST_WAITING = 500  # deliveries; more come in than the broker takes
MOST_EVENTS = 1000  # of one message

log = logging.getLogger(__name__)
Send = Callable[[Delivery], None]


class Unpublished(Exception):
    """The broker has not confirmed: the events may or may not be in the queue."""


class _Waiting(NamedTuple):
    delivery: Delivery
    confirmed: "Future[None]"
    cause: str  # the span that waits for it, where that is kept


class Publisher:
    """The thread, its channel, and those who wait for a confirm."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._connected = False
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="events-publisher", daemon=True)
        self._thread.start()

    def publish(self, delivery: Delivery) -> "Future[None]":
        """Done when the broker has confirmed. Raises Unpublished, and the future does."""
        with self._changed:
            if not self._connected:
                raise Unpublished("the broker is away")
            if len(self._waiting) >= MOST_WAITING:
                raise Unpublished("too many deliveries wait for the broker")
            effect.began(delivery)
            confirmed: Future[None] = Future()
            self._waiting.append(_Waiting(delivery, confirmed, tracing.here()))
            self._changed.notify()
        return confirmed

    def stop(self) -> None:
        """Ends the thread, after what is waiting was sent."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        told = ""
        while not self._stopped:
            try:
                with _channel() as (send, listen):
                    told = ""
                    self._connected = True
                    self._serve(send, listen)
            except Exception as error:  # noqa: BLE001  # a thread's edge: it must outlive all
                if str(error) != told:
                    log.warning("cannot publish, events go to PostgreSQL: %r", error)
                told = str(error)
            self._refuse_all()
            with self._changed:
                self._changed.wait_for(lambda: self._stopped, timeout=AGAIN_SECONDS)

    def _serve(self, send: Send, listen: Callable[[], None]) -> None:
        """Send what waits until told to stop, and then what waits still."""
        while True:
            taken = self._take()
            if taken:
                self._send(send, taken)
            elif self._stopped:
                return
            else:
                listen()

    def _take(self) -> list[_Waiting]:
        """The next message's worth of what waits; nothing after a while in which nothing came."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopped, timeout=IDLE_SECONDS)
            taken: list[_Waiting] = []
            events = 0
            while self._waiting and events < MOST_EVENTS:
                taken.append(self._waiting.popleft())
                events += len(taken[-1].delivery.events)
            return taken

    def _send(self, send: Send, taken: list[_Waiting]) -> None:
        for other in taken[1:]:
            effect.forget(other.delivery)  # it is told of under the name of the first
        try:
            causes = [one.cause for one in taken]
            with metrics.timed("rabbitmq"), tracing.publishing("events", causes):
                send(messages.joined([one.delivery for one in taken]))
        except Exception as error:  # whatever it is, those who wait hear of it; it goes on upwards
            _refuse(taken, error)
            raise
        for one in taken:
            one.confirmed.set_result(None)

    def _refuse_all(self) -> None:
        with self._changed:
            self._connected = False
            left = list(self._waiting)
            self._waiting.clear()
        _refuse(left, Unpublished("the broker is away"))


def _refuse(waiting: Iterable[_Waiting], error: Exception) -> None:
    for one in waiting:
        effect.forget(one.delivery)
        one.confirmed.set_exception(Unpublished(str(error)))


@contextmanager
def _channel() -> Iterator[tuple[Send, Callable[[], None]]]:
    """What sends a delivery and returns when it is confirmed, and what notices a lost broker."""
    with worker.confirmed_channel(seconds=CONFIRM_SECONDS) as channel:
        producer = worker.app.amqp.Producer(channel)
        store: Any = worker.app.signature(TASK)

        def send(delivery: Delivery) -> None:
            store.clone(kwargs={"delivery": messages.encode(delivery)}).apply_async(
                producer=producer,
                mandatory=True,
                confirm_timeout=CONFIRM_SECONDS,
                retry=False,
                kwargsrepr="{}",  # or Celery would log the events
            )

        def listen() -> None:
            with suppress(TimeoutError):
                channel.connection.drain_events(timeout=0.001)

        yield send, listen
