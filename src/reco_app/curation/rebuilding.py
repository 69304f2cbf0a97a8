"""The catalogue made anew from the record, while it serves.

The catalogue begins a generation: whatever is sent from then on replaces what it has, whatever
the versions. So it mends a read model that was lost, damaged, or is ahead of a record restored
from a backup. What is read meanwhile is each product's old state or its new one. At the end the
catalogue withdraws what it holds and the record does not.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from django.utils import timezone

from reco_app.curation import bulk, clients, outbox, relay, store

LOOK_SECONDS = 0.2


class Rebuilt(NamedTuple):
    """What became of the products; nothing is withdrawn while some are refused."""

    sent: int
    refused: int
    withdrawn: int


def rebuild(*, on_progress: Callable[[int], None]) -> Rebuilt:
    """Send every product through the outbox, beside any relay that runs.

    `on_progress` is told how many are still on their way. Raises: clients.RebuildOver,
    rest.Unavailable; the relay then carries on, and doing it again does no harm.
    """
    generation = clients.begin_rebuild()
    queued = bulk.queue_everything(now=timezone.now())
    newest = store.clock_version()
    while left := outbox.waiting(up_to=newest):
        on_progress(left)
        if relay.sweep() < relay.BATCH:
            time.sleep(LOOK_SECONDS)  # another relay holds the rest
    refused = outbox.backlog(now=timezone.now()).refused
    withdrawn = 0
    while not refused and (gone := clients.withdraw_leftovers(generation)):
        withdrawn += gone
    return Rebuilt(queued, refused, withdrawn)
