"""When which task runs. Operators change times in the admin, and what they change stays."""

from django_celery_beat.models import CrontabSchedule, PeriodicTask

NIGHTLY = {
    "training.train": ("Train a release", 2, 10),
    "events.expire": ("Delete expired events", 3, 10),
    "training.prune": ("Delete old releases", 3, 40),
}


def complete() -> None:
    """Add what the timetable lacks."""
    for task, (name, hour, minute) in NIGHTLY.items():
        if PeriodicTask.objects.filter(task=task).exists():
            continue
        schedule, _ = CrontabSchedule.objects.get_or_create(
            minute=str(minute),
            hour=str(hour),
            day_of_week="*",
            day_of_month="*",
            month_of_year="*",
            timezone="UTC",
        )
        PeriodicTask.objects.create(name=name, task=task, crontab=schedule)
