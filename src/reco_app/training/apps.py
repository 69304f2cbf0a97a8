from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TrainingConfig(AppConfig):
    name = "reco_app.training"
    verbose_name = "Training"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_complete, sender=self)


def _complete(**_: Any) -> None:
    # Models cannot be imported before every app is ready.
    from reco_app.training import timetable  # noqa: PLC0415

    timetable.complete()
