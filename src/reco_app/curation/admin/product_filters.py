"""Finding products among a hundred thousand: filters that indexes serve, counts that end."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.core.cache import cache
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Count, Func, QuerySet, TextField, Value
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.contrib.filters.admin import DropdownFilter, TextFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from reco_app.curation.indexes import CategoryTree
from reco_app.curation.models import Product

COUNTED = 100_000  # results; so many are counted in 30 ms, and beyond it helps nobody
CHOICES_SECONDS = 60
MOST_BRANDS = 500


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Counts at most COUNTED results, and all products by PostgreSQL's own estimate."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        if not rows.query.where:
            with connection.cursor() as cursor:
                table = rows.model._meta.db_table
                cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table])
                estimate = int(cursor.fetchone()[0])
            if estimate > COUNTED:
                return estimate
        return rows.order_by()[: COUNTED + 1].count()


class CategoryFilter(DropdownFilter):
    """By the topmost names of category paths; an address may name a deeper path too."""

    title = "category"
    parameter_name = "category"

    def has_output(self) -> bool:
        return True  # also for a path that is no choice

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in top_categories()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        if not self.value():
            return queryset
        path = Value([self.value()], output_field=ArrayField(TextField()))
        return queryset.alias(tree=CategoryTree("categories")).filter(tree__contains=path)


class BrandForm(forms.Form):
    """A text field that proposes the brands there are, without a script."""

    def __init__(self, name: str, label: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = UnfoldAdminTextInputWidget(attrs={"list": "known-brands", "autocomplete": "off"})
        self.fields[name] = forms.CharField(label=label, required=False, widget=widget)


class BrandFilter(TextFilter):
    title = "brand"
    parameter_name = "brand"
    template = "curation/brand_filter.html"
    form_class = BrandForm

    @property
    def brands(self) -> list[str]:
        return brands()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        name = (self.value() or "").strip()
        return queryset.filter(brand=name) if name else queryset


class OfferFilter(DropdownFilter):
    """What is retired shows only when asked for."""

    title = "offer"
    parameter_name = "offer"
    all_option = ("", "All but retired")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("shown", "Shown to shoppers"),
            ("hidden", "Hidden"),
            ("retired", "Retired"),
            ("sale", "On sale"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        conditions: dict[str, dict[str, Any]] = {
            "shown": {"visible": True, "retired_at": None},
            "hidden": {"visible": False},
            "retired": {"retired_at__isnull": False},
            "sale": {"sale_price__isnull": False},
        }
        return queryset.filter(**conditions.get(self.value() or "", {"retired_at": None}))


def top_categories() -> list[str]:
    """The first names of all category paths, in order."""

    def read() -> list[str]:
        paths = Func("categories", function="unnest", output_field=TextField())
        first = Func(paths, Value(" > "), Value(1), function="split_part", output_field=TextField())
        names = Product.objects.order_by().values_list(first, flat=True).distinct()
        return sorted(name for name in names if name)

    return _remembered("curation:top-categories", read)


def brands() -> list[str]:
    """The brands with most products, in order."""

    def read() -> list[str]:
        counted = Product.objects.exclude(brand="").order_by().values("brand")
        most = counted.annotate(products=Count("pk")).order_by("-products")[:MOST_BRANDS]
        return sorted(row["brand"] for row in most)

    return _remembered("curation:brands", read)


def _remembered(key: str, read: Callable[[], list[str]]) -> list[str]:
    """Names that a minute may pass over, but not while there are none yet."""
    names: list[str] = cache.get(key) or read()
    if names:
        cache.set(key, names, CHOICES_SECONDS)
    return names
