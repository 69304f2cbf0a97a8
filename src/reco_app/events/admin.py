"""Events and what was turned away, to look at: nobody edits what happened."""

from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from reco_app.events.models import Event, RejectedEvent, RejectionCount

MOST_SHOWN = 5000


class NewestPaginator(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Pages over the first few thousand rows: counting millions would take seconds."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows[:MOST_SHOWN].count())


class ReadOnlyAdmin(ModelAdmin):
    list_per_page = 50
    paginator = NewestPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-id",)

    def get_sortable_by(self, request: HttpRequest) -> tuple[Any, ...]:
        return ()  # any other order would sort the whole table


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
