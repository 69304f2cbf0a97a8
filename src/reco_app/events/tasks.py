"""What the timetable asks of events."""

from datetime import UTC, datetime

from celery import shared_task

from reco_app.events import service
from reco_app.settings import current


@shared_task(name="events.expire")  # type: ignore[untyped-decorator]  # Celery ships no types
def expire() -> None:
    service.expire(days=current().event_retention_days, now=datetime.now(UTC))
