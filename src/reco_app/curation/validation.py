"""What a well-formed product, placement and rule is: said once, for admin, feeds and database."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import BaseConstraint, CheckConstraint, F, Q

ITEM_ID_PATTERN = re.compile(r"\A[A-Za-z0-9._~-]{1,64}\Z")
ITEM_ID = RegexValidator(
    ITEM_ID_PATTERN,
    "An item id is 1 to 64 letters, digits or any of . _ ~ - and nothing else.",
)
CURRENCY = RegexValidator(r"\A[A-Z]{3}\Z", "A currency is three capital letters, such as EUR.")
SCENARIOS = ("session", "basket", "similar", "trending", "popular", "new")
KEY_SCOPES = [
    ("events", "events: a shop's backend sends events"),
    ("import", "import: feeds are uploaded"),
    ("staff", "staff: answers are explained"),
]
FILTER_FIELDS = ("category", "brand", "price_min", "price_max", "in_stock")
MAX_NAMES, MAX_NAME = 50, 300  # of a filter, as in a recommendation request
MAX_MONEY, SMALLEST_MONEY = 10**10, Decimal("0.0001")
MONEY = re.compile(r"[0-9]{1,10}(\.[0-9]{1,4})?")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL takes no NUL; the rest was not UTF-8
ABOVE_ALL_NUMBERS = 2**63  # what every component's JSON can carry
PATH_PART = re.compile(r"[^\s>](?:.*[^\s>])?")


def category_path(value: str) -> None:
    """A path is names joined by “ > ”, each without blanks around it."""
    if value and not all(PATH_PART.fullmatch(part) for part in value.split(" > ")):
        raise ValidationError(
            "A category is a path such as “Home > Kitchen”: names joined by “ > ”."
        )


def flat_attributes(value: object) -> None:
    """Attributes are a flat map of names to text, numbers, truth values or lists of text."""
    if not isinstance(value, Mapping):
        raise ValidationError("Attributes are a map of names to values, such as {“colour”: “red”}.")
    for name, entry in value.items():
        parts = entry if isinstance(entry, list) else [entry]
        if not all(isinstance(part, str | int | float | bool) for part in parts):
            raise ValidationError(f"The attribute “{name}” is neither text, number nor a list.")
        if any(UNSTORABLE.search(text) for text in (name, *parts) if isinstance(text, str)):
            raise ValidationError("An attribute is not UTF-8, or has a zero byte.")
        if not all(abs(part) < ABOVE_ALL_NUMBERS for part in parts if not isinstance(part, str)):
            raise ValidationError(f"The number of the attribute “{name}” is too large.")


def placement_slug(value: str) -> None:
    """A placement must not take the name of a scenario, which a request could mean instead."""
    if value in SCENARIOS:
        raise ValidationError(f"“{value}” is the name of a scenario; choose another slug.")


def placement_filter(value: object) -> None:
    """The `filter` object of a recommendation request, and nothing else."""
    if not isinstance(value, Mapping):
        raise ValidationError("A filter is an object, such as {“category”: [“Home”]}.")
    if unknown := sorted(set(value) - set(FILTER_FIELDS)):
        raise ValidationError(f"Unknown: {', '.join(unknown)}. Known: {', '.join(FILTER_FIELDS)}.")
    for field in ("category", "brand"):
        if not _are_names(value.get(field, [])):
            raise ValidationError(
                f"“{field}” is a list of at most {MAX_NAMES} names of 1 to {MAX_NAME} letters."
            )
    for field in ("price_min", "price_max"):
        if field in value and not _is_money(value[field]):
            raise ValidationError(
                f"“{field}” is a price in quotes, such as “2.00”, with at most four decimals."
            )
    if not isinstance(value.get("in_stock", True), bool):
        raise ValidationError("“in_stock” is true or false.")


def _are_names(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MAX_NAMES
        and all(isinstance(entry, str) and 0 < len(entry) <= MAX_NAME for entry in value)
    )


def _is_money(value: object) -> bool:
    try:
        amount = Decimal(value) if isinstance(value, str) else Decimal(-1)
        # Looked at before it is written out: 1e-999999 would have a million digits.
        short = 0 <= amount < MAX_MONEY and amount == amount.quantize(SMALLEST_MONEY)
    except InvalidOperation:
        return False
    return short and MONEY.fullmatch(format(amount, "f")) is not None


RULE_CONSTRAINTS: list[BaseConstraint] = [
    CheckConstraint(
        condition=Q(target_product__isnull=False, target_category="")
        | Q(target_product__isnull=True) & ~Q(target_category=""),
        name="curation_rule_one_target",
        violation_error_message="Name either a product or a category, not both and not neither.",
    ),
    CheckConstraint(
        condition=~Q(kind="pin")
        | Q(target_product__isnull=False, position__isnull=False, position__range=(1, 50)),
        name="curation_rule_pin",
        violation_error_message="A pin needs a product and a position from 1 to 50.",
    ),
    CheckConstraint(
        condition=Q(kind="pin") | Q(position__isnull=True),
        name="curation_rule_position",
        violation_error_message="Only a pin has a position.",
    ),
    CheckConstraint(
        condition=Q(factor__isnull=True)
        | Q(kind="boost", factor__gt=1, factor__lte=100)
        | Q(kind="bury", factor__gte=0.01, factor__lt=1),
        name="curation_rule_factor",
        violation_error_message=(
            "A boost has a factor above 1 (to 100), a bury one below 1 (from 0.01), others none."
        ),
    ),
    CheckConstraint(
        condition=Q(starts_at__isnull=True)
        | Q(ends_at__isnull=True)
        | Q(ends_at__gt=F("starts_at")),
        name="curation_rule_dates",
        violation_error_message="“Valid to” must be later than “valid from”.",
    ),
]
