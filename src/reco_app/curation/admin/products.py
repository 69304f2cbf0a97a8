from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV, JSON, TSV
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.contrib.import_export.forms import ExportForm
from unfold.decorators import action, display

from reco_app import settings
from reco_app.curation import feeds, store
from reco_app.curation.admin.product_actions import ACTIONS
from reco_app.curation.admin.product_export import ProductExport
from reco_app.curation.admin.product_filters import (
    BoundedPaginator,
    BrandFilter,
    CategoryFilter,
    OfferFilter,
)
from reco_app.curation.admin.product_forms import FeedForm, ProductForm
from reco_app.curation.importing import FeedImport
from reco_app.curation.models import Product


@admin.register(Product)
class ProductAdmin(ExportMixin, SimpleHistoryAdmin, ModelAdmin):
    form = ProductForm
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}  # Django 6's default
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would count the whole table
    list_per_page = 50
    list_max_show_all = 100  # more rows have more fields than Django takes in one form
    list_display = (
        *("item_id", "title", "brand", "category"),
        *("price", "sale_price", "availability", "visible"),
    )
    list_display_links = ("item_id", "title")
    list_editable = ("price", "availability", "visible")
    list_filter = (
        OfferFilter,
        ("availability", ChoicesDropdownFilter),
        CategoryFilter,
        BrandFilter,
    )
    list_filter_submit = True
    search_fields = ("item_id", "title")
    search_help_text = "Words of the title, or a part of the id."
    actions = ACTIONS
    actions_list = ("import_feed",)
    resource_classes = (ProductExport,)
    export_form_class = ExportForm
    formats = (CSV, TSV, JSON)
    readonly_fields = ("currency", "retired_at", "updated_at", "version")
    history_list_display = ("history_change_reason",)
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("item_id", "title", "brand", "description", "categories", "tags")}),
        (
            "Offer",
            {"fields": (("price", "sale_price", "currency"), ("availability", "visible"))},
        ),
        ("Pages", {"fields": ("url", "image_url", "item_group_id", "published_at")}),
        ("More", {"fields": ("attributes", ("updated_at", "retired_at", "version"))}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("item_id", *self.readonly_fields) if obj else self.readonly_fields

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        formset = super().get_changelist_formset(request, **kwargs)
        for field in self.list_editable:
            formset.form.base_fields[field].show_hidden_initial = True  # see ProductForm
        # Wide enough for its longest choice, which the table would otherwise cut.
        formset.form.base_fields["availability"].widget.attrs["style"] = "min-width: 9.5rem"
        formset.form.base_fields["price"].widget.attrs["style"] = "min-width: 6rem; max-width: 8rem"
        return formset

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Events and releases name products for as long as they live: they are retired."""
        return False

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        if not change:
            obj.currency = settings.current().currency
        # The page of a former state shows that state, so that all of it is a change.
        match = request.resolver_match
        going_back = match is not None and str(match.url_name).endswith("_simple_history")
        changed = list(form.fields) if going_back else form.changed_data
        store.save_product(obj, changed=changed, user_id=request.user.pk)

    @display(description="category")
    def category(self, product: Product) -> str:
        return product.categories[0].rpartition(" > ")[2] if product.categories else "–"

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("curation.import_product")

    @action(description="Import a feed", icon="upload", permissions=["import"])
    def import_feed(self, request: HttpRequest) -> HttpResponse:
        form = FeedForm(request.POST or None, request.FILES or None)
        summary = self._imported(request, form) if form.is_valid() else None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": "Import a feed",
            "form": form,
            "summary": summary,
        }
        return TemplateResponse(request, "curation/import_feed.html", context)

    def _imported(self, request: HttpRequest, form: FeedForm) -> Any:
        upload = form.cleaned_data["file"]
        feed_format = feeds.recognise(upload.read(4096))
        upload.seek(0)
        run = FeedImport(
            upload, feed_format, reason=f"imported from {upload.name[:80]}", user_id=request.user.pk
        )
        if form.cleaned_data["check_only"]:
            run.check()
        else:
            run.store()
        if form.cleaned_data["full"]:
            run.retire_missing()
        return run.summary
