"""The record of what the shop sells and how its merchandisers want it shown.

Writing goes through `store`: only there a change, its place in the order of changes and its
outbox entry become one transaction.
"""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from reco_app.curation import indexes, validation


class CurationClock(models.Model):
    """One row. Who writes to curation holds its lock until commit, so that versions become
    visible in the order of their numbers and a reader that has seen n never misses n - 1."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="curation_one_clock")]

    def __str__(self) -> str:
        return f"version {self.version}"


class Product(models.Model):
    class Availability(models.TextChoices):
        IN_STOCK = "in_stock", "In stock"
        OUT_OF_STOCK = "out_of_stock", "Out of stock"
        PREORDER = "preorder", "Pre-order"

    item_id = models.CharField(
        "item id", primary_key=True, max_length=64, validators=[validation.ITEM_ID]
    )
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True, default="", max_length=10_000)
    brand = models.CharField(blank=True, default="", max_length=120)
    categories = ArrayField(
        models.CharField(max_length=300, validators=[validation.category_path]),
        blank=True,
        default=list,
        size=20,
    )
    price = models.DecimalField(
        max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )
    sale_price = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="What shoppers pay while it is set. Empty means the normal price.",
    )
    currency = models.CharField(max_length=3, validators=[validation.CURRENCY])
    availability = models.CharField(
        max_length=12, choices=Availability.choices, default=Availability.IN_STOCK
    )
    visible = models.BooleanField(
        default=True, help_text="A hidden product is never recommended, found or listed."
    )
    image_url = models.URLField("image address", blank=True, default="", max_length=2000)
    url = models.URLField("page address", blank=True, default="", max_length=2000)
    attributes = models.JSONField(blank=True, default=dict, validators=[validation.flat_attributes])
    tags = ArrayField(models.CharField(max_length=60), blank=True, default=list, size=50)
    item_group_id = models.CharField(
        "group of variants",
        blank=True,
        default="",
        max_length=64,
        help_text="Variants share one value; a list shows one of a group.",
    )
    published_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.BigIntegerField(default=0, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ["item_id"]
        permissions = [
            ("import_product", "Can import products from a file"),
            ("export_product", "Can export products to a file"),
        ]
        indexes = indexes.PRODUCT
        constraints = [
            models.CheckConstraint(condition=Q(price__gte=0), name="curation_price_not_negative"),
            models.CheckConstraint(
                condition=Q(sale_price__isnull=True) | Q(sale_price__gte=0),
                name="curation_sale_price_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.item_id})"

    @property
    def offered(self) -> bool:
        """Whether the catalogue shows it at all: neither hidden nor retired."""
        return self.visible and self.retired_at is None


class OutboxEntry(models.Model):
    """A product whose newest state the catalogue service has not been given yet."""

    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    version = models.BigIntegerField(primary_key=True)
    created_at = models.DateTimeField(default=timezone.now)
    urgent = models.BooleanField(
        default=False, help_text="Changes of a few products overtake a feed's thousands."
    )
    refused = models.TextField(
        blank=True,
        default="",
        help_text="Why the catalogue service did not take it; it is not sent again by itself.",
    )

    class Meta:
        verbose_name_plural = "outbox entries"
        indexes = [
            models.Index(
                F("urgent").desc(),
                F("version"),
                name="curation_outbox_next",
                condition=Q(refused=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} at {self.version}"


class Placement(models.Model):
    class Scenario(models.TextChoices):
        SESSION = "session", "Session: what may come next"
        BASKET = "basket", "Basket: what goes with it"
        SIMILAR = "similar", "Similar: what could be taken instead"
        TRENDING = "trending", "Trending: what is asked for now"
        POPULAR = "popular", "Popular: what is asked for always"
        NEW = "new", "New: what came in lately"

    slug = models.SlugField(
        unique=True,
        validators=[validation.placement_slug],
        help_text="What the shop's page sends as “scenario”, for instance home-top.",
    )
    name = models.CharField(max_length=120)
    scenario = models.CharField(max_length=10, choices=Scenario.choices, default=Scenario.SESSION)
    count = models.PositiveSmallIntegerField(
        default=12,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="How many products it shows where the request does not say.",
    )
    filter = models.JSONField(
        blank=True,
        default=dict,
        validators=[validation.placement_filter],
        help_text=(
            "Which products may appear, as in the API: "
            '{"category": ["Home"], "brand": [], "price_min": "2.00", "price_max": "30.00"}'
        ),
    )
    active = models.BooleanField(default=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Rule(models.Model):
    class Kind(models.TextChoices):
        PIN = "pin", "Pin to a position"
        BOOST = "boost", "Boost"
        BURY = "bury", "Bury"
        HIDE = "hide", "Hide"

    kind = models.CharField(max_length=5, choices=Kind.choices)
    target_product = models.ForeignKey(
        Product,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="rules",
        verbose_name="product",
    )
    target_category = models.CharField(
        "category",
        blank=True,
        default="",
        max_length=300,
        validators=[validation.category_path],
        help_text="A path such as “Home > Kitchen”; what lies below it is meant too.",
    )
    position = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text="Pins only: 1 is the first place.",
    )
    factor = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(100.0)],
        help_text=(
            "Boost: above 1, 2 doubles the score. Bury: below 1, 0.5 halves it. "
            "Empty means 2 and 0.5."
        ),
    )
    placement = models.ForeignKey(
        Placement,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="rules",
        help_text="Empty means everywhere.",
    )
    context_category = models.CharField(
        "while looking at category",
        blank=True,
        default="",
        max_length=300,
        validators=[validation.category_path],
        help_text="Only where a product of this category is part of the request.",
    )
    context_product = models.ForeignKey(
        Product,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="while looking at product",
        help_text="Only where this product is part of the request.",
    )
    starts_at = models.DateTimeField("valid from", null=True, blank=True)
    ends_at = models.DateTimeField("valid to", null=True, blank=True)
    active = models.BooleanField(default=True)
    note = models.CharField(
        blank=True, default="", max_length=300, help_text="Why this rule exists, for colleagues."
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["id"]
        constraints = validation.RULE_CONSTRAINTS

    def __str__(self) -> str:
        target = self.target_category or self.target_product_id
        return f"{self.get_kind_display()}: {target}"


class ApiKey(models.Model):
    """A key's id and scopes; its token is signed, shown once and stored nowhere."""

    key_id = models.CharField("id", primary_key=True, max_length=26, editable=False)
    name = models.CharField(max_length=120, help_text="Who uses it and for what.")
    scopes = ArrayField(models.CharField(max_length=10, choices=validation.KEY_SCOPES))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return self.name


class Profile(models.Model):
    """A preference profile, which the profile service keeps: here for its pages in the admin
    and their permissions."""

    slug = models.SlugField(primary_key=True)

    class Meta:
        managed = False
