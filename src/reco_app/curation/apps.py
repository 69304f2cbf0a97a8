from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from reco_app import database


class CurationConfig(AppConfig):
    name = "reco_app.curation"
    verbose_name = "Curation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_complete, sender=self)
        database.measure()


def _complete(**_: Any) -> None:
    """What must be there wherever the tables are: the clock's row, and the staff's roles."""
    # Models cannot be imported before every app is ready.
    from reco_app.curation import roles, store  # noqa: PLC0415

    store.ensure_clock()
    roles.complete()
