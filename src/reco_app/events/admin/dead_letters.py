"""Tasks that could not be done: read, sent again, or dropped."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.decorators import display

from reco_app.events import dead_letters
from reco_app.events.admin.reading import ReadOnlyAdmin
from reco_app.events.models import DeadLetter

NONE_HERE = (
    "This broker has no queue of dead letters; only RabbitMQ has. A task that fails is in the "
    "worker's log alone."
)
MOST_SHOWN = 20_000  # characters


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    list_display = ("arrived_at", "task", "queue", "reason")
    list_filter = ("task",)
    fields = ("arrived_at", "task", "queue", "reason", "contents")
    readonly_fields = fields
    actions = ("retry",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Deleting drops the task."""
        return bool(request.user.has_perm("events.delete_deadletter"))

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("events.change_deadletter")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not dead_letters.has_queue():
            messages.info(request, NONE_HERE)
        else:
            try:
                dead_letters.collect()
            except dead_letters.Unreachable as error:
                messages.warning(request, f"{error}. Shown is what was taken over before.")
        return super().changelist_view(request, extra_context)  # type: ignore[no-any-return]

    @display(description="contents")
    def contents(self, letter: DeadLetter) -> str:
        return format_html("<pre>{}</pre>", dead_letters.told(letter)[:MOST_SHOWN])

    @admin.action(description="Retry: send these tasks again", permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        sent = 0
        try:
            for letter in queryset:
                dead_letters.retry(letter)
                sent += 1
        except dead_letters.Unreachable as error:
            messages.error(request, f"{error}. What was not sent is still here.")
        messages.success(request, f"{sent:,} tasks were sent again.")
