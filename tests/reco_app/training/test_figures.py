"""What Prometheus is told of trainings, releases and the timetable."""

from datetime import UTC, datetime, timedelta

import pytest
from django_celery_beat.models import PeriodicTask
from prometheus_client import CollectorRegistry

from reco_app import scraped
from reco_app.training import figures, store
from reco_app.training.models import Release

pytestmark = pytest.mark.django_db


def ago(**since: float) -> datetime:
    return datetime.now(UTC) - timedelta(**since)


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(scraped.connection, "close", lambda: None)  # the test's own

    def value(name: str, **labels: str) -> float | None:
        registry = CollectorRegistry()
        for read in (figures.trainings, figures.timetable):
            registry.register(scraped.in_postgresql(read))
        return registry.get_sample_value(name, labels)

    return value


def trained(hours: float, status: Release.Status = Release.Status.READY, **measures: float):
    return store.record(
        version=f"v{hours}",
        trained_at=ago(hours=hours),
        status=status,
        note="",
        measures=measures,
        parameters={},
    )


def test_age_and_quality_are_those_of_the_live_release(told):
    trained(30, **{"recall_at_20": 0.4, "cases": 900.0})
    trained(2, Release.Status.REFUSED, **{"recall_at_20": 0.1, "building the index.seconds": 7.5})
    store.mark_live("v30")

    assert told("multireco_release_age_seconds") == pytest.approx(30 * 3600, abs=60)
    assert told("multireco_release_quality", measure="recall_at_20") == 0.4
    assert told("multireco_training_age_seconds") == pytest.approx(2 * 3600, abs=60)
    assert told("multireco_training_refused") == 1
    assert told("multireco_training_step_seconds", step="building the index") == 7.5


def test_without_a_release_that_is_told_and_no_age(told):
    assert told("multireco_release_present") == 0
    assert told("multireco_release_age_seconds") is None


def test_the_timetable_is_as_old_as_what_was_sent_last(told):
    PeriodicTask.objects.update(last_run_at=ago(hours=9))
    PeriodicTask.objects.filter(task="events.tidy").update(last_run_at=ago(minutes=40))

    assert told("multireco_timetable_age_seconds") == pytest.approx(2400, abs=60)


def test_a_timetable_of_which_nothing_was_ever_sent_is_as_old_as_its_entries(told):
    PeriodicTask.objects.update(last_run_at=None, date_changed=ago(hours=2))

    assert told("multireco_timetable_age_seconds") == pytest.approx(7200, abs=60)
