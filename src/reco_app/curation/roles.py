"""Staff roles: groups whose permissions every migrate completes, so that none is forgotten."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps as registry
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

ALL = ("view", "add", "change", "delete")
ROLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "merchandiser": {
        "curation.product": ("view", "add", "change", "import", "export"),
        "curation.historicalproduct": ("view",),
        "curation.rule": ALL,
        "curation.historicalrule": ("view",),
        "curation.placement": ALL,
        "curation.historicalplacement": ("view",),
        "training.release": ("view",),
    },
    "analyst": {
        "curation.product": ("view", "export"),
        "curation.rule": ("view",),
        "curation.placement": ("view",),
        "events.event": ("view",),
        "events.rejectedevent": ("view",),
        "events.rejectioncount": ("view",),
        "training.release": ("view",),
    },
    "operator": {
        "curation.product": ("view",),
        "curation.outboxentry": ("view", "change"),
        "curation.apikey": ("view", "add", "change"),
        "events.event": ("view",),
        "events.rejectedevent": ("view",),
        "events.rejectioncount": ("view",),
        "training.release": ("view", "change"),
        "django_celery_beat.periodictask": ALL,
        "auth.user": ("view", "add", "change"),
    },
}


def complete(**_: Any) -> None:
    """Make the groups that are missing and give each the permissions it lacks."""
    labels = {model.partition(".")[0] for role in ROLES.values() for model in role}
    for label in sorted(labels):
        if registry.is_installed(f"reco_app.{label}") or label in ("auth", "django_celery_beat"):
            create_permissions(registry.get_app_config(label), verbosity=0)
    for name, models in ROLES.items():
        wanted = Q()
        for model, actions in models.items():
            label, _, model_name = model.partition(".")
            codenames = [f"{action}_{model_name}" for action in actions]
            wanted |= Q(content_type__app_label=label, codename__in=codenames)
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.add(*Permission.objects.filter(wanted))
