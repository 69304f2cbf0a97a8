from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from reco_app.curation import outbox
from reco_app.curation.admin.product_filters import BoundedPaginator
from reco_app.curation.models import OutboxEntry


@admin.register(OutboxEntry)
class OutboxAdmin(ModelAdmin):
    """What the catalogue service still has to be told; empty in quiet times."""

    list_display = ("version", "product_id", "created_at", "urgent", "refused")
    list_filter = ("urgent",)
    ordering = ("version",)
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = ("send_again",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("product", "version", "created_at", "urgent", "refused")

    @admin.action(description="Send again", permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutboxEntry]) -> None:
        number = outbox.send_again(list(queryset))
        messages.success(request, f"{number} entries will be sent with the next round.")
