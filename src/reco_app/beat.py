"""How beat reads its timetable: as django-celery-beat does, but that it outlives PostgreSQL."""

import logging
import time
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django_celery_beat.schedulers import DatabaseScheduler

from reco_app.worker import alive

LOOK_SECONDS = 1.0

log = logging.getLogger(__name__)


class Patient(DatabaseScheduler):  # type: ignore[misc]  # django-celery-beat ships no types
    """Without its timetable there is nothing to send: wait for it, rather than end."""

    def all_as_schedule(self) -> dict[str, Any]:
        waited = False
        while True:
            try:
                read: dict[str, Any] = super().all_as_schedule()
            except (OperationalError, InterfaceError) as error:
                if not waited:
                    log.warning("PostgreSQL is away, the timetable waits: %s", error)
                waited = True
                connection.close()
                time.sleep(LOOK_SECONDS)
            else:
                if waited:
                    log.info("PostgreSQL is back, the timetable is read")
                return read

    def tick(self, *args: Any, **options: Any) -> float:
        alive("beat").touch()
        seconds: float = super().tick(*args, **options)
        return seconds
