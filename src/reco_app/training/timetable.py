"""When which task runs. Operators change times in the admin, and what they change stays."""

from collections.abc import Collection

from django_celery_beat.models import CrontabSchedule, PeriodicTask, PeriodicTasks

# Task → its name, and the hour and minute (UTC) of cron.
TIMES = {
    "events.expire": ("Delete expired events", "1", "40"),  # what is gone is not trained on
    "training.train": ("Train a release", "2", "10"),
    "events.tidy": ("Forget what is to be forgotten", "*", "*/10"),
    "training.prune": ("Delete old releases", "3", "40"),
    # Training itself does it; this is for when the profile service was away, and for rollbacks.
    "training.share": ("Tell the profile service of the live release's tastes", "*", "25"),
}


def complete() -> None:
    """Add what the timetable lacks."""
    for task, (name, hour, minute) in TIMES.items():
        if PeriodicTask.objects.filter(task=task).exists():
            continue
        schedule, _ = CrontabSchedule.objects.get_or_create(
            minute=minute,
            hour=hour,
            day_of_week="*",
            day_of_month="*",
            month_of_year="*",
            timezone="UTC",
        )
        PeriodicTask.objects.create(name=name, task=task, crontab=schedule)


def leave_out(tasks: Collection[str]) -> None:
    """Take tasks off the timetable, where a cluster has jobs for them; others stay as they are."""
    PeriodicTask.objects.filter(task__in=tasks).update(enabled=False)
    PeriodicTasks.update_changed()
