"""What staff do to many products at once; each goes through the store."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from reco_app.curation import store
from reco_app.curation.admin.product_forms import CategoryForm, SaleForm
from reco_app.curation.models import Product

Row = dict[str, Any]
CENT = Decimal("0.01")


def change_all(
    request: HttpRequest, queryset: QuerySet[Product], *, change: Callable[[Row], None], done: str
) -> None:
    """Change every product of the selection and say how many did change."""
    item_ids = list(queryset.order_by("pk").values_list("pk", flat=True))
    user_id = request.user.pk
    changed = store.change_products(item_ids, change=change, reason=done, user_id=user_id)
    already = f"; {len(item_ids) - changed:,} already were so" if changed < len(item_ids) else ""
    messages.success(request, f"{changed:,} products: {done}{already}. Shoppers see it shortly.")


@admin.action(description="Hide", permissions=["change"])
def hide(_admin: Any, request: HttpRequest, queryset: QuerySet[Product]) -> None:
    change_all(request, queryset, change=lambda row: row.update(visible=False), done="hidden")


@admin.action(description="Show", permissions=["change"])
def show(_admin: Any, request: HttpRequest, queryset: QuerySet[Product]) -> None:
    change_all(request, queryset, change=lambda row: row.update(visible=True), done="shown")


@admin.action(description="Mark as in stock", permissions=["change"])
def in_stock(_admin: Any, request: HttpRequest, queryset: QuerySet[Product]) -> None:
    def change(row: Row) -> None:
        row["availability"] = Product.Availability.IN_STOCK.value

    change_all(request, queryset, change=change, done="in stock")


@admin.action(description="Mark as out of stock", permissions=["change"])
def out_of_stock(_admin: Any, request: HttpRequest, queryset: QuerySet[Product]) -> None:
    def change(row: Row) -> None:
        row["availability"] = Product.Availability.OUT_OF_STOCK.value

    change_all(request, queryset, change=change, done="out of stock")


@admin.action(description="Retire: take out of the shop", permissions=["change"])
def retire(_admin: Any, request: HttpRequest, queryset: QuerySet[Product]) -> None:
    now = timezone.now()

    def change(row: Row) -> None:
        row["retired_at"] = row["retired_at"] or now

    change_all(request, queryset, change=change, done="retired")


@admin.action(description="Bring back what was retired", permissions=["change"])
def bring_back(_admin: Any, request: HttpRequest, queryset: QuerySet[Product]) -> None:
    change_all(request, queryset, change=lambda row: row.update(retired_at=None), done="back")


@admin.action(description="End the sale", permissions=["change"])
def end_sale(_admin: Any, request: HttpRequest, queryset: QuerySet[Product]) -> None:
    done = "back at the normal price"
    change_all(request, queryset, change=lambda row: row.update(sale_price=None), done=done)


@admin.action(description="Set a sale percentage…", permissions=["change"])
def set_sale(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Product]
) -> HttpResponse | None:
    form = SaleForm(request.POST if "apply" in request.POST else None)
    if not form.is_valid():
        return _ask(model_admin, request, queryset, form=form, title="Set a sale percentage")
    percentage = form.cleaned_data["percentage"]

    def change(row: Row) -> None:
        row["sale_price"] = (row["price"] * (100 - percentage) / 100).quantize(CENT)

    change_all(request, queryset, change=change, done=f"{percentage.normalize():f} % off")
    return None


@admin.action(description="Add a category…", permissions=["change"])
def add_category(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Product]
) -> HttpResponse | None:
    form = CategoryForm(request.POST if "apply" in request.POST else None)
    if not form.is_valid():
        return _ask(model_admin, request, queryset, form=form, title="Add a category")
    path = form.cleaned_data["path"]

    def change(row: Row) -> None:
        if path not in row["categories"]:
            row["categories"].append(path)

    change_all(request, queryset, change=change, done=f"in “{path}”")
    return None


@admin.action(description="Remove a category…", permissions=["change"])
def remove_category(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Product]
) -> HttpResponse | None:
    form = CategoryForm(request.POST if "apply" in request.POST else None)
    if not form.is_valid():
        return _ask(model_admin, request, queryset, form=form, title="Remove a category")
    path = form.cleaned_data["path"]

    def change(row: Row) -> None:
        row["categories"] = [
            own for own in row["categories"] if own != path and not own.startswith(f"{path} > ")
        ]

    change_all(request, queryset, change=change, done=f"no longer in “{path}”")
    return None


def _ask(
    model_admin: Any,
    request: HttpRequest,
    queryset: QuerySet[Product],
    *,
    form: forms.Form,
    title: str,
) -> HttpResponse:
    """A page for what the action needs to know, which posts the same selection again."""
    paths = Product.objects.filter(pk__in=queryset.order_by().values("pk")[:200])
    known = {
        path for paths_of_one in paths.values_list("categories", flat=True) for path in paths_of_one
    }
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": title,
        "form": form,
        "action": request.POST["action"],
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "checkbox": ACTION_CHECKBOX_NAME,
        "select_across": request.POST.get("select_across", "0"),
        "number": queryset.count(),
        "known_categories": sorted(known),
    }
    return TemplateResponse(request, "curation/ask.html", context)


ACTIONS = [
    hide,
    show,
    in_stock,
    out_of_stock,
    set_sale,
    end_sale,
    add_category,
    remove_category,
    retire,
    bring_back,
]
