from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
)
from unfold.decorators import display

from reco_app.curation import store
from reco_app.curation.models import Rule


class WhenFilter(DropdownFilter):
    title = "validity"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("now", "In force now"),
            ("later", "Starts later"),
            ("over", "Over"),
            ("off", "Off"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rule]) -> QuerySet[Rule]:
        now = timezone.now()
        over = Q(ends_at__lte=now)
        later = Q(starts_at__gt=now)
        conditions = {
            "now": Q(active=True) & ~over & ~later,
            "later": Q(active=True) & later,
            "over": over,
            "off": Q(active=False),
        }
        return queryset.filter(conditions.get(self.value() or "", Q()))


@admin.register(Rule)
class RuleAdmin(SimpleHistoryAdmin, ModelAdmin):
    list_display = ("kind", "target", "effect", "where", "starts_at", "ends_at", "state", "active")
    list_display_links = ("kind", "target")
    list_editable = ("active",)
    list_filter = (
        WhenFilter,
        ("kind", ChoicesDropdownFilter),
        ("placement", AutocompleteSelectFilter),
    )
    list_filter_submit = True
    list_select_related = ("target_product", "placement", "context_product")
    search_fields = ("target_product__title", "target_product__item_id", "target_category", "note")
    autocomplete_fields = ("target_product", "placement", "context_product")
    actions = ("switch_on", "switch_off")
    warn_unsaved_form = True
    fieldsets = (
        (
            "What",
            {
                "fields": ("kind", ("target_product", "target_category"), ("position", "factor")),
                "description": "Name a product or a category. A pin needs a product.",
            },
        ),
        (
            "Where",
            {
                "fields": ("placement", ("context_category", "context_product")),
                "description": "Empty fields mean everywhere.",
            },
        ),
        (
            "When",
            {
                "fields": ("starts_at", "ends_at", "active", "note"),
                "description": "Times are in UTC; empty ones have no limit.",
            },
        ),
    )

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        store.save_curation(obj, user_id=request.user.pk)

    def delete_model(self, request: HttpRequest, obj: Rule) -> None:
        store.delete_curation(obj, user_id=request.user.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        for rule in queryset:
            store.delete_curation(rule, user_id=request.user.pk)

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        self._switch(request, queryset, active=True)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        self._switch(request, queryset, active=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Rule], *, active: bool) -> None:
        for rule in queryset.exclude(active=active):
            rule.active = active
            store.save_curation(rule, user_id=request.user.pk)

    @display(description="what")
    def target(self, rule: Rule) -> str:
        return rule.target_category or str(rule.target_product)

    @display(description="how")
    def effect(self, rule: Rule) -> str:
        if rule.position:
            return f"place {rule.position}"
        factor = rule.factor or store.FACTORS.get(rule.kind)
        return f"× {factor:g}" if factor else ""

    @display(description="where")
    def where(self, rule: Rule) -> str:
        places = [
            rule.placement.name if rule.placement else "",
            f"with {rule.context_category}" if rule.context_category else "",
            f"with {rule.context_product}" if rule.context_product else "",
        ]
        return ", ".join(place for place in places if place) or "everywhere"

    @display(
        description="state",
        label={"in force": "success", "starts later": "info", "over": "warning", "off": "danger"},
    )
    def state(self, rule: Rule) -> str:
        now = timezone.now()
        if not rule.active:
            return "off"
        if rule.ends_at and rule.ends_at <= now:
            return "over"
        return "starts later" if rule.starts_at and rule.starts_at > now else "in force"
