"""Products between the wire and the store."""

from collections.abc import Mapping
from typing import Any

from catalog_app import money
from catalog_app.contracts_internal import ProductGiven

SEARCHED = (
    "title", "description", "brand", "categories", "price", "sale_price", "availability",
    "attributes", "tags", "item_group_id", "published_at", "deleted", "sequence",
)  # fmt: skip
_AS_STORED = (
    "title", "description", "brand", "categories", "price", "sale_price", "currency",
    "availability", "image_url", "url",
)  # fmt: skip


def to_document(given: ProductGiven) -> dict[str, Any]:
    """What the store keeps of a product; of one that is deleted, only that it is."""
    document: dict[str, Any] = {
        "_id": given.id,
        "version": given.version,
        "deleted": given.deleted,
    }
    if given.deleted:
        return document
    kept = given.model_dump(exclude={"id", "version", "deleted"})
    kept["attributes"] = [list(pair) for pair in kept["attributes"].items()]
    kept["price_units"] = money.units(given.sale_price or given.price)
    return document | kept


def to_wire(document: Mapping[str, Any]) -> dict[str, Any]:
    """A stored product as readers see it."""
    wire = {"id": document["_id"]} | {field: document[field] for field in _AS_STORED}
    return wire | {
        "attributes": dict(document["attributes"]),
        "tags": document["tags"],
        "item_group_id": document["item_group_id"],
        "published_at": document["published_at"],
        "updated_at": document["updated_at"],
        "version": document["version"],
    }
