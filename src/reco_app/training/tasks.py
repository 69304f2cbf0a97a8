"""What the timetable asks of training."""

import logging
from datetime import UTC, datetime

from celery import shared_task

from reco_app.training import service, sharing

log = logging.getLogger(__name__)


@shared_task(name="training.train")  # type: ignore[untyped-decorator]  # Celery ships no types
def train() -> None:
    trained = service.train(now=datetime.now(UTC), report=_no_report)
    log.info("trained", extra={"release": trained.version, "live": trained.live})


@shared_task(name="training.share")  # type: ignore[untyped-decorator]  # Celery ships no types
def share() -> None:
    sharing.share(report=_no_report)


@shared_task(name="training.prune")  # type: ignore[untyped-decorator]  # Celery ships no types
def prune() -> None:
    service.prune(now=datetime.now(UTC))


def _no_report(step: str, done: int, total: int) -> None:
    """Nobody watches."""
