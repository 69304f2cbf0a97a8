"""A profile as a form: each kind of weight is a text of lines “name = weight”."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

SLUG = RegexValidator(
    r"\A[a-z0-9]+(?:-[a-z0-9]+)*\Z", "Small letters, digits, and single hyphens between them."
)
KINDS = ("category", "brand", "price_band")
HEAVIEST = 1000


class WeightsField(forms.CharField):
    """Lines such as “Home > Kitchen = 2.5”, as a map of names to weights."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 8})
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        ordered = sorted(value.items(), key=lambda entry: -entry[1])
        return "\n".join(f"{name} = {weight:g}" for name, weight in ordered)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, dict):  # a locked field, which is not typed
            return value
        weights: dict[str, float] = {}
        for number, line in enumerate((value or "").splitlines(), start=1):
            name, _, weight = (part.strip() for part in line.rpartition("="))
            if not line.strip():
                continue
            if not name or not _is_weight(weight):
                raise forms.ValidationError(
                    f"Line {number}: write a name, = and a number from 0 to {HEAVIEST}."
                )
            weights[name] = float(weight)
        return weights


def _is_weight(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal() and float(text) <= HEAVIEST


class ProfileForm(forms.Form):
    slug = forms.CharField(
        max_length=64,
        validators=[SLUG],
        widget=UnfoldAdminTextInputWidget,
        help_text="What a request names as “profile”, such as gift-buyer. It stays as it is.",
    )
    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget)
    description = forms.CharField(
        max_length=2000, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )
    category = WeightsField(label="Categories", help_text="One a line: Home > Kitchen = 2.5")
    brand = WeightsField(label="Brands", help_text="One a line: Name = 1")
    price_band = WeightsField(label="Price bands", help_text="One a line: 2-5 = 1")
    version = forms.IntegerField(min_value=0, initial=0, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, profile: dict[str, Any] | None, locked: bool) -> None:
        known = profile or {"weights": {}}
        super().__init__(data, initial={**known, **known["weights"]})
        for field in self.fields.values():
            field.disabled = locked
        self.fields["slug"].disabled = locked or profile is not None

    def wire(self) -> dict[str, Any]:
        """The profile as the profile service takes it."""
        told = self.cleaned_data
        plain = {name: told[name] for name in ("slug", "name", "description", "version")}
        return {**plain, "weights": {kind: told[kind] for kind in KINDS}}
