"""Delete events that are older than the retention, with their sessions' keys: `retention`."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from reco_app.events import service
from reco_app.settings import current


class Command(BaseCommand):
    help = "Delete events older than MULTIRECO_EVENT_RETENTION_DAYS (90)."

    def handle(self, *_: Any, **__: Any) -> None:
        days = current().event_retention_days
        expired = service.expire(days=days, now=datetime.now(UTC))
        self.stdout.write(f"{expired:,} events older than {days} days deleted.")
