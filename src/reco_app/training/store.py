"""The record of releases, and the lock that lets one training run at a time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from reco_app.training.models import Release

LOCK = 7_211_120  # any number that nothing else locks
SWITCH_LOCK = LOCK + 1
STEP_SECONDS = ".seconds"
"""After the name of a step of training, among the measures of a release."""


class TrainingRuns(Exception):
    """Another process is training."""


@contextmanager
def alone() -> Iterator[None]:
    """Holds the lock of training; PostgreSQL gives it back if this process dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise TrainingRuns("Another training is running; wait for it to end.")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


@contextmanager
def switching() -> Iterator[None]:
    """Those who switch take turns, so that the record ends as the pointer does."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SWITCH_LOCK])
        yield


def record(
    *,
    version: str,
    trained_at: datetime,
    status: Release.Status,
    note: str,
    measures: Mapping[str, Any],
    parameters: Mapping[str, Any],
) -> Release:
    """Remember a release, whatever became of it."""
    fields = {"trained_at": trained_at, "status": status, "note": note[:300]}
    details = {"measures": measures, "parameters": parameters}
    return Release.objects.update_or_create(version=version, defaults=fields | details)[0]


@transaction.atomic
def mark_live(version: str | None) -> None:
    """Make the record say what the pointer of the model store says."""
    Release.objects.filter(live=True).exclude(version=version).update(live=False)
    Release.objects.filter(version=version, live=False).update(live=True)


def mark_pruned(version: str) -> None:
    Release.objects.filter(version=version).update(status=Release.Status.PRUNED)


def releases() -> list[Release]:
    """All that are remembered, newest first."""
    return list(Release.objects.order_by("-trained_at", "-version"))
