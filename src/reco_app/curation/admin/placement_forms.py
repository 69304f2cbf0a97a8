"""A placement's form: its filter as fields, not as the API's JSON."""

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldBooleanSwitchWidget

from reco_app.curation import validation
from reco_app.curation.admin.product_forms import LinesField
from reco_app.curation.models import Placement


class PlacementForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    category = LinesField(
        label="Only these categories",
        help_text="One path a line, such as Home > Kitchen; what lies below is meant too.",
    )
    brand = LinesField(label="Only these brands", help_text="One a line.")
    price_min = forms.DecimalField(
        label="Price from",
        required=False,
        min_value=Decimal(0),
        decimal_places=2,
        max_digits=12,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    price_max = forms.DecimalField(
        label="Price to",
        required=False,
        min_value=Decimal(0),
        decimal_places=2,
        max_digits=12,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    in_stock = forms.BooleanField(
        label="Only what is in stock",
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
    )

    class Meta:
        model = Placement
        fields = ("name", "slug", "scenario", "count", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in self.instance.filter.items():
            self.initial[name] = value

    def clean_category(self) -> list[str]:
        paths: list[str] = self.cleaned_data["category"]
        for path in paths:
            validation.category_path(path)
        return paths

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        least, most = cleaned.get("price_min"), cleaned.get("price_max")
        if least is not None and most is not None and least > most:
            self.add_error("price_max", "“Price to” is below “price from”.")
        self.instance.filter = self._filter(cleaned)
        return cleaned

    def _filter(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        """Only what narrows or widens the answer, in the API's words."""
        told = {name: cleaned.get(name) for name in ("category", "brand") if cleaned.get(name)}
        prices = {
            name: f"{cleaned[name]:.2f}"
            for name in ("price_min", "price_max")
            if cleaned.get(name) is not None
        }
        return {**told, **prices, **({} if cleaned.get("in_stock") else {"in_stock": False})}
