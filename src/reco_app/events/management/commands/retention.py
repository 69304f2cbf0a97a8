"""Drop the days whose events are over their time: `retention`."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from reco_app.events import export, retention
from reco_app.settings import current


class Command(BaseCommand):
    help = (
        "Drop days of events older than MULTIRECO_EVENT_RETENTION_DAYS (90), and training's copy "
        "of them after MULTIRECO_EVENT_ARCHIVE_DAYS (365)."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        settings = current()
        dropped = retention.expire(
            event_days=settings.event_retention_days,
            archive_days=settings.event_archive_days,
            folder=settings.model_dir / export.FOLDER,
            now=datetime.now(UTC),
        )
        self.stdout.write(f"{dropped} days older than {settings.event_retention_days} dropped.")
