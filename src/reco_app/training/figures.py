"""What became of trainings and of the timetable, for Prometheus; told by the relay.

Trainings end with their process, so what they measured is read in the record.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from prometheus_client.core import Metric

from reco_app.scraped import gauge, gauges
from reco_app.training.models import Release
from reco_app.training.store import STEP_SECONDS

MEASURES = ("recall_at_20", "mrr_at_20", "popularity.recall_at_20", "live.gain", "cases")


def trainings() -> Iterator[Metric]:
    """The newest training, whether the gate let it pass, and the release that is live."""
    now = timezone.now()
    newest = Release.objects.order_by("-trained_at", "-version").first()
    live = Release.objects.filter(live=True).first()
    yield gauge(
        "multireco_release_present", "1 if the record has a live release.", live is not None
    )
    if live:
        yield gauge(
            "multireco_release_age_seconds", "Since the live release was trained.", _age(live, now)
        )
        yield gauges(
            "multireco_release_quality",
            "What the gate measured of the live release on the newest sessions.",
            "measure",
            ((name, live.measures[name]) for name in MEASURES if name in live.measures),
        )
    if newest:
        yield gauge(
            "multireco_training_age_seconds", "Since the newest training began.", _age(newest, now)
        )
        yield gauge(
            "multireco_training_refused",
            "1 if the gate kept the newest training from going live.",
            newest.status == Release.Status.REFUSED,
        )
        yield gauges(
            "multireco_training_step_seconds",
            "How long each step of the newest training took.",
            "step",
            _steps(newest),
        )


def timetable() -> Iterator[Metric]:
    """Whether beat is at work: something is due every ten minutes."""
    last = PeriodicTask.objects.aggregate(at=Max(Coalesce("last_run_at", "date_changed")))["at"]
    if last:
        yield gauge(
            "multireco_timetable_age_seconds",
            "Since beat last recorded that it sent a task, or never having, since there are any.",
            (timezone.now() - last).total_seconds(),
        )


def _age(release: Release, now: datetime) -> float:
    return (now - release.trained_at).total_seconds()


def _steps(release: Release) -> Iterator[tuple[str, float]]:
    for name, value in release.measures.items():
        if name.endswith(STEP_SECONDS):
            yield name.removesuffix(STEP_SECONDS), value
