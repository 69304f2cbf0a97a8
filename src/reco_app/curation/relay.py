"""Carries committed changes of products to the catalogue service, at least once each."""

import logging
import threading
import time
from collections.abc import Sequence

from django.db import InterfaceError, InternalError, OperationalError, connection, transaction
from django.utils import timezone

from reco_app.curation import clients, keys, lag, outbox
from reco_app.curation.contracts import product_card
from reco_app.curation.models import OutboxEntry
from runtime import rest, tracing

BATCH = 500
POLL_SECONDS = 0.2
RETRY_SECONDS = 0.4  # while a neighbour is away its breaker answers most of the attempts
REMIND_SECONDS = 15.0

# InternalError: PostgreSQL takes no writes, as a standby does until the failover is over.
TROUBLE = (rest.Unavailable, clients.Conflict, OperationalError, InterfaceError, InternalError)

log = logging.getLogger(__name__)


def sweep() -> int:
    """Deliver one batch; the number of entries settled. Raises: rest.Unavailable.

    Entries are held while the batch travels and deleted after it arrived. A relay that dies in
    between leaves them for the next one, and the catalogue ignores versions that it has. All that
    holds them is one transaction, so that a pooler may hand out connections by transaction.
    """
    with transaction.atomic():
        entries = outbox.take(limit=BATCH)
        if entries:
            with tracing.working("relay products"):
                _deliver(entries)
    return len(entries)


def _deliver(entries: Sequence[OutboxEntry]) -> None:
    """Send and settle; of a batch that is refused, all but the entries that caused it."""
    try:
        clients.put_products([product_card(state) for state in outbox.newest_states(entries)])
    except clients.Refused as refusal:
        if len(entries) == 1:
            log.error("the catalogue refused %s: %s", entries[0].product_id, refusal)
            outbox.refuse(entries[0], str(refusal))
            return
        middle = len(entries) // 2
        _deliver(entries[:middle])
        _deliver(entries[middle:])
    else:
        outbox.settle(entries)
        lag.delivered(entries, now=timezone.now())


def run(stop: threading.Event) -> None:
    """Sweep until `stop` is set: at once while batches are full, else five times a second."""
    away = False
    reminded_at = -REMIND_SECONDS
    while not stop.is_set():
        try:
            if time.monotonic() - reminded_at >= REMIND_SECONDS:
                reminded_at = time.monotonic()
                keys.publish_revocations()  # Redis may have lost them
            settled = sweep()
        except TROUBLE as trouble:
            if not away:
                log.warning("relay waits: %s", trouble)
            away = True
            connection.close()
            stop.wait(RETRY_SECONDS)
            continue
        if away:
            log.info("relay goes on")
        away = False
        if settled < BATCH:
            stop.wait(POLL_SECONDS)
