"""Carries committed changes of products to the catalogue service, at least once each."""

import logging
import random
import threading
import time
from collections.abc import Sequence

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from reco_app.curation import clients, keys, outbox
from reco_app.curation.contracts import product_card
from reco_app.curation.models import OutboxEntry
from runtime import rest

BATCH = 500
EVERY_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 3.0
TELL_EVERY_SECONDS = 15.0

log = logging.getLogger(__name__)


def sweep() -> int:
    """Deliver one batch; the number of entries settled. Raises: rest.Unavailable.

    Entries are held while the batch travels and deleted after it arrived. A relay that dies in
    between leaves them for the next one, and the catalogue ignores versions that it has.
    """
    with transaction.atomic():
        entries = outbox.take(limit=BATCH)
        _deliver(entries)
    return len(entries)


def _deliver(entries: Sequence[OutboxEntry]) -> None:
    """Send and settle; of a batch that is refused, all but the entries that caused it."""
    if not entries:
        return
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


def run(stop: threading.Event) -> None:
    """Sweep until `stop` is set: at once while batches are full, else five times a second."""
    failures = 0
    told_at = 0.0
    while not stop.is_set():
        try:
            if time.monotonic() - told_at > TELL_EVERY_SECONDS:
                told_at = time.monotonic()
                _tell()
            settled = sweep()
        except (rest.Unavailable, OperationalError, InterfaceError) as trouble:
            failures += 1
            log.warning("relay waits: %s", trouble)
            connection.close()
            stop.wait(_pause(failures))
            continue
        if failures:
            log.info("relay goes on after %d failed attempts", failures)
        failures = 0
        if settled < BATCH:
            stop.wait(EVERY_SECONDS)


def _pause(failures: int) -> float:
    longest: float = min(EVERY_SECONDS * 2 ** min(failures, 8), LONGEST_PAUSE_SECONDS)
    return longest * random.uniform(0.5, 1)


def _tell() -> None:
    """Log the lag, and remind Redis of the revoked keys, which it may have lost."""
    state = outbox.backlog(now=timezone.now())
    log.info(
        "outbox",
        extra={
            "waiting": state.waiting,
            "refused": state.refused,
            "lag_seconds": round(state.lag.total_seconds(), 3),
        },
    )
    keys.publish_revocations()
