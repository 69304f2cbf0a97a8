"""Forms of products: lists are lines, prices are checked against one another."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from reco_app.curation import validation
from reco_app.curation.models import Product


class LinesField(forms.CharField):
    """A list of names, one a line."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", UnfoldAdminTextareaWidget(attrs={"rows": 3}))
        super().__init__(required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = [" ".join(line.split()) for line in (value or "").splitlines()]
        return list(dict.fromkeys(line for line in lines if line))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class ProductForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    categories = LinesField(help_text="One path a line, such as Home > Kitchen.")
    tags = LinesField(help_text="One a line.")

    class Meta:
        model = Product
        fields = ("price", "sale_price")  # the admin adds those of its fieldsets

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Each field remembers what the page showed: what a feed changed since the page was
        opened, and staff did not touch, is not changed back."""
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = bool(self.instance.version)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        price, sale_price = cleaned.get("price"), cleaned.get("sale_price")
        if price is not None and sale_price is not None and sale_price > price:
            self.add_error("sale_price", "The sale price is above the normal price.")
        return cleaned


class CategoryForm(forms.Form):
    path = forms.CharField(
        label="Category",
        max_length=300,
        validators=[validation.category_path],
        widget=UnfoldAdminTextInputWidget(attrs={"list": "known-categories"}),
        help_text="The whole path, such as Home > Kitchen.",
    )


class SaleForm(forms.Form):
    percentage = forms.DecimalField(
        label="Percent off the normal price",
        decimal_places=1,
        validators=[MinValueValidator(Decimal(1)), MaxValueValidator(Decimal(95))],
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="From 1 to 95. Prices are rounded to the cent.",
    )


class FeedForm(forms.Form):
    file = forms.FileField(
        label="Feed",
        widget=UnfoldAdminFileFieldWidget,
        help_text="JSON Lines, CSV, or a Google Merchant feed as TSV or XML.",
    )
    check_only = forms.BooleanField(
        label="Check only, change nothing",
        required=False,
        initial=True,
        widget=UnfoldBooleanWidget,
    )
    full = forms.BooleanField(
        label="Retire products that the feed does not have",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=(
            "Only if the feed can be read to its end, and lacks no more than half of the products."
        ),
    )
