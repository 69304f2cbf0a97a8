"""What is looked at and never edited: lists of many rows, the newest first."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

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
