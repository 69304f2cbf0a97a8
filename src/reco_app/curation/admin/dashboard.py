"""The first page of the admin: how the shop stands, in numbers that lead on."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from reco_app import settings
from reco_app.curation import outbox
from reco_app.curation.models import Placement, Product, Rule
from reco_app.engine import release
from reco_app.events import quarantine

admin.site.index_template = "curation/dashboard.html"
admin.site.index_title = "How the shop stands"


class Figure(NamedTuple):
    label: str
    value: str
    hint: str
    address: str


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """UNFOLD's DASHBOARD_CALLBACK: the figures that this member of staff may see."""
    now = timezone.now()
    figures: list[Figure] = []
    if request.user.has_perm("curation.view_product"):
        figures += _products()
    if request.user.has_perm("curation.view_rule"):
        figures += _rules(now)
    if request.user.has_perm("events.view_quarantinecase"):
        figures += _set_aside()
    figures += [_backlog(request, now), _release(now)]
    return {**context, "figures": figures}


def _products() -> list[Figure]:
    listed = reverse("admin:curation_product_changelist")
    offered = Product.objects.filter(visible=True, retired_at=None)
    hidden = Product.objects.filter(visible=False).count()
    gone = offered.filter(availability=Product.Availability.OUT_OF_STOCK).count()
    return [
        Figure("Products shown", f"{offered.count():,}", "to shoppers", f"{listed}?offer=shown"),
        Figure(
            "Out of stock", f"{gone:,}", "of those", f"{listed}?availability__exact=out_of_stock"
        ),
        Figure("Hidden", f"{hidden:,}", "by staff", f"{listed}?offer=hidden"),
    ]


def _rules(now: datetime) -> list[Figure]:
    ended = Q(ends_at__lte=now)
    ahead = Q(starts_at__gt=now)
    in_force = Rule.objects.filter(active=True).exclude(ended | ahead).count()
    placements = Placement.objects.filter(active=True).count()
    listed = reverse("admin:curation_rule_changelist")
    return [
        Figure("Rules in force", f"{in_force:,}", "right now", f"{listed}?when=now"),
        Figure(
            "Placements",
            f"{placements:,}",
            "active",
            reverse("admin:curation_placement_changelist"),
        ),
    ]


def _set_aside() -> list[Figure]:
    """Nothing while there is nothing to decide."""
    number = quarantine.undecided()
    address = f"{reverse('admin:events_quarantinecase_changelist')}?verdict__exact=open"
    return [Figure("Events set aside", f"{number:,}", "to decide on", address)] if number else []


def _backlog(request: HttpRequest, now: datetime) -> Figure:
    state = outbox.backlog(now=now)
    hint = f"{state.lag.total_seconds():.0f} s behind" if state.waiting else "up to date"
    if state.refused:
        hint += f", {state.refused:,} refused"
    may_look = request.user.has_perm("curation.view_outboxentry")
    address = reverse("admin:curation_outboxentry_changelist") if may_look else ""
    return Figure("Changes on their way", f"{state.waiting:,}", hint, address)


def _release(now: datetime) -> Figure:
    version = release.live_version(settings.current().model_dir)
    if version is None:
        return Figure("Model", "none yet", "train one: multireco train", "")
    trained_at = datetime.strptime(version[:20], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return Figure("Model trained", f"{timesince(trained_at, now, depth=1)} ago", version, "")
