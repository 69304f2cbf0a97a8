"""Releases: what each was measured at, which one is live, and the way back."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse_lazy
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from reco_app.engine.sealed import ReleaseCorrupt
from reco_app.training import service
from reco_app.training.models import Release

LAST_SWITCHES = 20


@admin.register(Release)
class ReleaseAdmin(ModelAdmin):
    list_display = ("version", "is_live", "status", "recall", "popularity", "sessions", "note")
    list_filter = ("status",)
    ordering = ("-trained_at",)
    fields = (
        *("version", "trained_at", "live", "status", "note"),
        *("measured", "switched", "parameters"),
    )
    actions_row = ("roll_back",)
    actions_detail = ("roll_back",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a release is a fact; which one is live is switched by an action

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_switch_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not the permission's name at the action: a check would look for it in PostgreSQL, which
        may be empty (`migrate`) or away (`doctor`)."""
        return request.user.has_perm("training.change_release")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if wrong := service.trouble():
            messages.warning(request, wrong)
        return super().changelist_view(request, extra_context)  # type: ignore[no-any-return]

    @action(
        description="Make this release live",
        url_path="make-live",
        permissions=["switch"],
        icon="history",
    )
    def roll_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks first: only what carries the form's token may switch."""
        release = self.get_object(request, object_id)
        if release is None:
            raise Http404("There is no such release.")
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "opts": self.model._meta,
                "title": "Make this release live?",
                "release": release,
            }
            return TemplateResponse(request, "training/make_live.html", context)
        try:
            service.switch(release.version)
        except (service.ReleaseGone, ReleaseCorrupt) as error:
            messages.error(request, str(error))
        else:
            self.log_change(request, release, "Made live.")
            messages.success(request, f"{release.version} is live; answers follow in a second.")
        return redirect(reverse_lazy("admin:training_release_changelist"))

    @display(description="live", label={"live": "success"})
    def is_live(self, release: Release) -> str:
        return "live" if release.live else ""

    @display(description="Recall@20")
    def recall(self, release: Release) -> str:
        return _figure(release, "recall_at_20")

    @display(description="of popularity")
    def popularity(self, release: Release) -> str:
        return _figure(release, "popularity.recall_at_20")

    @display(description="sessions")
    def sessions(self, release: Release) -> str:
        return f"{release.measures.get('sessions', 0):,}"

    @display(description="measures")
    def measured(self, release: Release) -> str:
        rows = ((_readable(name), _written(value)) for name, value in release.measures.items())
        return format_html_join("", "<div>{}: {}</div>", rows)

    @display(description="made live by")
    def switched(self, release: Release) -> str:
        entries = LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(Release), object_id=release.pk
        ).select_related("user")[:LAST_SWITCHES]
        rows = (
            (entry.user.get_username(), f"{entry.action_time:%Y-%m-%d %H:%M}") for entry in entries
        )
        return format_html_join("", "<div>{}, {} UTC</div>", rows) or "–"


def _figure(release: Release, name: str) -> str:
    return f"{release.measures[name]:.3f}" if name in release.measures else "–"


def _readable(name: str) -> str:
    """`popularity.recall_at_20` is Recall@20 of popularity."""
    whose, _, what = name.rpartition(".")
    words = what.replace("_at_", "@").replace("_", " ")
    words = words.replace("recall", "Recall").replace("mrr", "MRR")
    return f"{words} of {whose}" if whose else words


def _written(value: object) -> str:
    if isinstance(value, list):
        return " to ".join(map(_written, value))
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.3f}"
