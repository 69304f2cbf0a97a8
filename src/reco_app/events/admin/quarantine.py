"""Events that were set aside, by case: staff let them count, or delete them."""

from django.contrib import admin, messages
from django.db import IntegrityError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from reco_app.events import quarantine
from reco_app.events.admin.reading import ReadOnlyAdmin
from reco_app.events.models import QuarantineCase


@admin.register(QuarantineCase)
class QuarantineAdmin(ReadOnlyAdmin):
    list_display = ("opened_at", "reason", "item_id", "events", "sessions", "verdict")
    list_display_links = None
    list_filter = (("verdict", ChoicesDropdownFilter), ("reason", ChoicesDropdownFilter))
    search_fields = ("=item_id",)
    search_help_text = "The id of a product."
    actions = ("release", "drop")

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuarantineCase]:
        return QuarantineCase.objects.annotate(
            number=Count("quarantinedevent"),
            visits=Count("quarantinedevent__session_hash", distinct=True),
        )

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Nobody edits a case, and some decide on it."""
        return request.user.has_perm("events.change_quarantinecase")

    @display(description="events")
    def events(self, case: QuarantineCase) -> str:
        return f"{case.number:,}"  # type: ignore[attr-defined]  # annotated above

    @display(description="sessions")
    def sessions(self, case: QuarantineCase) -> str:
        return f"{case.visits:,}"  # type: ignore[attr-defined]  # annotated above

    @admin.action(description="Release: let these events count", permissions=["decide"])
    def release(self, request: HttpRequest, queryset: QuerySet[QuarantineCase]) -> None:
        released = 0
        for case in queryset:
            try:
                released += quarantine.release(case.pk, now=timezone.now())
            except IntegrityError:
                expired = "{}: one of its days has expired, and takes no more events."
                messages.error(request, expired.format(case))
        messages.success(request, f"{released:,} events count from now on.")

    @admin.action(description="Drop: delete these events", permissions=["decide"])
    def drop(self, request: HttpRequest, queryset: QuerySet[QuarantineCase]) -> None:
        dropped = sum(quarantine.drop(case.pk) for case in queryset)
        messages.success(request, f"{dropped:,} events were deleted.")
