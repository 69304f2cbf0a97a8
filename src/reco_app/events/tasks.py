"""What the timetable asks of events."""

from datetime import UTC, datetime

from celery import shared_task

from reco_app.events import export, retention
from reco_app.settings import current


@shared_task(name="events.expire")  # type: ignore[untyped-decorator]  # Celery ships no types
def expire() -> None:
    settings = current()
    retention.expire(
        event_days=settings.event_retention_days,
        archive_days=settings.event_archive_days,
        folder=settings.model_dir / export.FOLDER,
        now=datetime.now(UTC),
    )
