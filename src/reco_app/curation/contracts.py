"""What curation promises to the rest of reco, and sends to the catalogue service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reco_app.curation.models import Product


@dataclass(frozen=True, slots=True)
class CuratedPlacement:
    slug: str
    name: str
    scenario: str
    count: int
    filter: Mapping[str, Any]
    active: bool


@dataclass(frozen=True, slots=True)
class CuratedRule:
    """`placement` is a slug, products are item ids; None is “not named”.

    `factor` multiplies the score: above 1 for a boost, below 1 for a bury, 1 for the others.
    """

    id: int
    kind: str  # pin, boost, bury or hide
    target_product: str | None
    target_category: str | None
    position: int | None
    factor: float
    placement: str | None
    context_category: str | None
    context_product: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    active: bool
    note: str

    def in_force(self, *, now: datetime) -> bool:
        started = self.starts_at is None or self.starts_at <= now
        return self.active and started and (self.ends_at is None or now < self.ends_at)


def product_card(product: Product) -> dict[str, Any]:
    """A product as it crosses the wire; one that is not offered is a tombstone."""
    if not product.offered:
        return {"id": product.item_id, "version": product.version, "deleted": True}
    return {
        "id": product.item_id,
        "title": product.title,
        "description": product.description,
        "brand": product.brand,
        "categories": product.categories,
        "price": _money(product.price),
        "sale_price": None if product.sale_price is None else _money(product.sale_price),
        "currency": product.currency,
        "availability": product.availability,
        "image_url": product.image_url,
        "url": product.url,
        "attributes": product.attributes,
        "tags": product.tags,
        "item_group_id": product.item_group_id,
        "published_at": product.published_at.isoformat(),
        "updated_at": product.updated_at.isoformat(),
        "version": product.version,
    }


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"
