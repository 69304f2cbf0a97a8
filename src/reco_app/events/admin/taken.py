"""Events and what was turned away, to look at: nobody edits what happened."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from reco_app.events.admin.reading import ReadOnlyAdmin
from reco_app.events.models import Event, RejectedEvent, RejectionCount


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """No page for one event: days are ordered by time, and nothing finds one by its number."""

    list_display = ("occurred_at", "event_type", "item_id", "quantity", "price", "position")
    list_display_links = None
    list_filter = (("event_type", ChoicesDropdownFilter),)
    search_fields = ("=item_id",)
    search_help_text = "The id of a product."

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-occurred_at",)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is None and super().has_view_permission(request)


@admin.register(RejectedEvent)
class RejectedEventAdmin(ReadOnlyAdmin):
    """The day's first hundred of each reason, without their sessions."""

    list_display = ("received_at", "code", "item_id", "event_type", "occurred_at", "detail")
    list_filter = ("code",)
    search_fields = ("=item_id",)
    search_help_text = "The id of a product."


@admin.register(RejectionCount)
class RejectionCountAdmin(ReadOnlyAdmin):
    list_display = ("day", "code", "count")
    list_filter = ("code",)
