"""Staff roles: groups whose permissions every migrate completes, so that none is forgotten."""

from collections.abc import Mapping

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
        "curation.profile": ALL,
        "events.quarantinecase": ("view", "change"),
        "events.recommendationsample": ("view",),
        "training.release": ("view",),
    },
    "analyst": {
        "curation.product": ("view", "export"),
        "curation.rule": ("view",),
        "curation.placement": ("view",),
        "curation.profile": ("view",),
        "events.event": ("view",),
        "events.rejectedevent": ("view",),
        "events.rejectioncount": ("view",),
        "events.quarantinecase": ("view",),
        "events.recommendationsample": ("view",),
        "training.release": ("view",),
    },
    "operator": {
        "curation.product": ("view",),
        "curation.outboxentry": ("view", "change"),
        "curation.apikey": ("view", "add", "change"),
        "events.event": ("view",),
        "events.rejectedevent": ("view",),
        "events.rejectioncount": ("view",),
        "events.quarantinecase": ("view", "change"),
        "events.recommendationsample": ("view",),
        "events.deadletter": ("view", "change", "delete"),
        "training.release": ("view", "change"),
        "django_celery_beat.periodictask": ALL,
    },
}


def complete() -> None:
    """Make the groups that are missing and give each the permissions it lacks."""
    labels = {model.partition(".")[0] for role in ROLES.values() for model in role}
    for app in registry.get_app_configs():
        if app.label in labels:
            create_permissions(app, verbosity=0)
    for name, models in ROLES.items():
        wanted = Q()
        for model, actions in models.items():
            label, _, model_name = model.partition(".")
            codenames = [f"{action}_{model_name}" for action in actions]
            wanted |= Q(content_type__app_label=label, codename__in=codenames)
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.add(*Permission.objects.filter(wanted))
