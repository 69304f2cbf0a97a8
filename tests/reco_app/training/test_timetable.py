import pytest
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

from reco_app.training import timetable


@pytest.mark.django_db
def test_what_a_cluster_runs_by_itself_is_taken_off_the_timetable_and_stays_off():
    timetable.complete()

    call_command("timetable", "--without", "training.train", "events.expire")
    timetable.complete()

    off = PeriodicTask.objects.filter(enabled=False).values_list("task", flat=True)
    assert set(off) == {"training.train", "events.expire"}
