"""What the queue and the timetable ask of events."""

import logging
import time
from datetime import UTC, datetime

from celery import shared_task
from django.db import InterfaceError, InternalError, OperationalError, connection

from reco_app.events import export, messages, retention, service
from reco_app.settings import current

AGAIN_SECONDS = 1.0

log = logging.getLogger(__name__)


# What cannot be stored is refused, and so becomes a dead letter. While PostgreSQL is away it
# waits here: going back and forth between queue and worker would use up its deliveries.
@shared_task(name="events.store", acks_on_failure_or_timeout=False)  # type: ignore[untyped-decorator]
def store(*, delivery: str) -> None:
    taken = messages.decode(delivery)
    while True:
        try:
            service.keep(taken)
        except (OperationalError, InterfaceError, InternalError) as error:
            log.warning("PostgreSQL is away, a delivery waits: %s", error)
            connection.close()
            time.sleep(AGAIN_SECONDS)
        else:
            return


@shared_task(name="events.tidy")  # type: ignore[untyped-decorator]  # Celery ships no types
def tidy() -> None:
    folder = current().model_dir / export.FOLDER
    retention.tidy(folder=folder, now=datetime.now(UTC))


@shared_task(name="events.expire")  # type: ignore[untyped-decorator]  # Celery ships no types
def expire() -> None:
    settings = current()
    retention.expire(
        event_days=settings.event_retention_days,
        archive_days=settings.event_archive_days,
        folder=settings.model_dir / export.FOLDER,
        now=datetime.now(UTC),
    )
