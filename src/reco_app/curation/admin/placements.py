from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from reco_app.curation import store
from reco_app.curation.admin import preview
from reco_app.curation.admin.placement_forms import PlacementForm
from reco_app.curation.models import Placement, Rule


class RuleInline(TabularInline):
    model = Rule
    extra = 0
    tab = True
    autocomplete_fields = ("target_product",)
    fields = (
        *("kind", "target_product", "target_category", "position", "factor"),
        *("starts_at", "ends_at", "active"),
    )
    show_change_link = True


@admin.register(Placement)
class PlacementAdmin(SimpleHistoryAdmin, ModelAdmin):
    form = PlacementForm
    fieldsets = (
        (None, {"fields": ("name", "slug", "scenario", "count", "active")}),
        (
            "Which products may appear",
            {"fields": ("category", "brand", ("price_min", "price_max"), "in_stock")},
        ),
    )
    list_display = ("name", "slug", "scenario", "count", "rules_of_it", "active")
    list_editable = ("active",)
    list_filter = ("active", ("scenario", ChoicesDropdownFilter))
    list_filter_submit = True
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (RuleInline,)
    actions_detail = ("preview",)
    actions_row = ("preview",)
    warn_unsaved_form = True

    def save_model(self, request: HttpRequest, obj: Placement, form: Any, change: bool) -> None:
        store.save_curation(obj, user_id=request.user.pk)

    def delete_model(self, request: HttpRequest, obj: Placement) -> None:
        store.delete_curation(obj, user_id=request.user.pk)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for placement in queryset:
            store.delete_curation(placement, user_id=request.user.pk)

    def save_formset(
        self,
        request: HttpRequest,
        form: Any,
        formset: Any,
        change: Any,
    ) -> None:
        for rule in formset.save(commit=False):
            store.save_curation(rule, user_id=request.user.pk)
        for rule in formset.deleted_objects:
            store.delete_curation(rule, user_id=request.user.pk)
        formset.save_m2m()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Placement]:
        active = Count("rules", filter=Q(rules__active=True))
        counted: QuerySet[Placement] = super().get_queryset(request).annotate(active_rules=active)
        return counted

    @display(description="rules of its own")
    def rules_of_it(self, placement: Any) -> int:
        return int(placement.active_rules)

    @action(description="Preview", icon="visibility", permissions=["view"])
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        placement = self.get_object(request, object_id)
        if placement is None:
            raise Http404("There is no such placement.")
        context = {**self.admin_site.each_context(request), "opts": self.model._meta}
        return preview.page(request, placement, context)
