"""Events as they come in: into the queue if there is one, else into PostgreSQL."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from functools import partial

from prometheus_client import Counter

from reco_app.curation import store as curation
from reco_app.events import memory, service, writers
from reco_app.events.contracts import Batch, Receipt
from reco_app.events.memory import Learner, Products
from reco_app.events.publisher import Publisher, Unpublished
from reco_app.events.senders import Origin
from reco_app.settings import current
from runtime import metrics

CONFIRMED_WITHIN_SECONDS = 2.0
LOOKED_UP_WITHIN_SECONDS = 0.5

events_total = Counter(
    "multireco_intake_events_total",
    "Events by what became of them at intake: acknowledged once in rabbitmq or postgresql, "
    "rejected for what they say, or unwritable: neither would have them.",
    ("outcome",),
    registry=metrics.registry,
)
for _outcome in ("rabbitmq", "postgresql", "rejected", "unwritable"):
    events_total.labels(_outcome)


class _Running:
    """The threads that this process has for intake."""

    def __init__(self, products: Products) -> None:
        self.learner = Learner(products)
        self.publisher = Publisher()


_running: list[_Running] = []


def start(*, products: Products) -> None:
    """Publish from now on, where the broker is RabbitMQ.

    `products` tells which ids are products, or None as long as that is not known.
    """
    if current().broker_url.startswith("amqp"):
        _running.append(_Running(products))


def stop() -> None:
    """End what was started, after what is on its way."""
    while _running:
        running = _running.pop()
        running.publisher.stop()
        running.learner.stop()


async def take(batch: Batch, *, consented: bool, origin: Origin, now: datetime) -> Receipt:
    """Take a batch; what is accepted is durable when this returns. Raises writers.Unwritable.

    Without consent neither session nor recommendation is kept.
    """
    if _running:
        try:
            receipt = await _published(
                batch, _running[0].publisher, consented=consented, origin=origin, now=now
            )
        except Unpublished:
            pass  # it may be in the queue all the same: storage takes each event once
        else:
            _count("rabbitmq", receipt)
            return receipt
    try:
        receipt = await writers.write(
            partial(service.receive, batch, consented=consented, origin=origin, now=now)
        )
    except writers.Unwritable:
        events_total.labels("unwritable").inc(len(batch.events))
        raise
    _count("postgresql", receipt)
    return receipt


def _count(store: str, receipt: Receipt) -> None:
    events_total.labels(store).inc(receipt.accepted + receipt.duplicates)
    events_total.labels("rejected").inc(len(receipt.rejected))


async def _published(
    batch: Batch, publisher: Publisher, *, consented: bool, origin: Origin, now: datetime
) -> Receipt:
    known = await _known({event.item_id for event in batch.events})
    taken, rejected = service.sorted_out(batch, known, now=now)
    keys = memory.keys(service.days_of(taken, now=now)) if consented else {}
    sender_key = memory.sender_key(now)
    if keys is None or sender_key is None:
        raise Unpublished("the keys of these days, or of this hour, are not at hand")
    sender = origin.hashed(sender_key)
    delivery = service.delivered(
        batch, taken, rejected, keys=keys, consented=consented, sender=sender, now=now
    )
    confirmed = asyncio.wrap_future(publisher.publish(delivery))
    confirmed.add_done_callback(asyncio.Future.exception)  # looked at, whoever waits for it still
    try:
        async with asyncio.timeout(CONFIRMED_WITHIN_SECONDS):
            await asyncio.shield(confirmed)
    except TimeoutError as error:
        raise Unpublished("not confirmed in time") from error
    accepted = len({event.event_id for event in taken})
    return Receipt(accepted, len(taken) - accepted, rejected)


async def _known(item_ids: Collection[str]) -> Collection[str]:
    """Those of these ids that are products. Raises Unpublished where that cannot be told.

    What the process does not know may be minutes old, and PostgreSQL is asked if it is there.
    """
    known = memory.known(item_ids)
    if known is None:
        raise Unpublished("the catalogue is not known yet")
    unknown = set(item_ids) - known
    if not unknown:
        return known
    try:
        async with asyncio.timeout(LOOKED_UP_WITHIN_SECONDS):
            return known | await writers.write(partial(curation.known_item_ids, unknown))
    except (TimeoutError, writers.Unwritable):
        return known
