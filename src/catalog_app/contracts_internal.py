"""What reco sends to the catalogue, and the feed of what has changed; never public."""

from typing import Annotated, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from catalog_app.contracts import (
    Answer,
    Attribute,
    Availability,
    CategoryPath,
    Count,
    Currency,
    Given,
    ItemId,
    Money,
    Name,
    Version,
)

PRODUCTS_PER_UPSERT = 500
CHANGES_PER_PAGE = 1000
Line = Annotated[str, StringConstraints(max_length=2000)]

_WHOLE_STATE = ("title", "price", "currency", "availability", "published_at", "updated_at")


class ProductGiven(Given):
    """A product's whole state at a version, or, `deleted`, that it is no longer offered."""

    model_config = {
        "json_schema_extra": {
            "anyOf": [
                {"required": list(_WHOLE_STATE)},
                {"required": ["deleted"], "properties": {"deleted": {"const": True}}},
            ]
        }
    }

    id: ItemId
    version: Version
    deleted: bool = False
    title: Annotated[str, StringConstraints(max_length=500)] = ""
    description: Annotated[str, StringConstraints(max_length=20_000)] = ""
    brand: Annotated[str, StringConstraints(max_length=300)] = ""
    categories: list[CategoryPath] = Field(default=[], max_length=50)
    price: Money = "0"
    sale_price: Money | None = None
    currency: Currency = "XXX"  # ISO 4217: no currency; a tombstone has no price
    availability: Availability = "out_of_stock"
    image_url: Line = ""
    url: Line = ""
    attributes: dict[Name, Attribute] = Field(default={}, max_length=200)
    tags: list[Name] = Field(default=[], max_length=100)
    item_group_id: Annotated[str, StringConstraints(max_length=64)] = ""
    published_at: AwareDatetime | None = Field(default=None, strict=False)
    updated_at: AwareDatetime | None = Field(default=None, strict=False)

    @model_validator(mode="after")
    def _whole_unless_deleted(self) -> Self:
        missing = [name for name in _WHOLE_STATE if name not in self.model_fields_set]
        if missing and not self.deleted:
            raise PydanticCustomError(
                "missing", "not deleted, and without {missing}", {"missing": ", ".join(missing)}
            )
        return self


class ProductsGiven(Given):
    products: list[ProductGiven] = Field(min_length=1, max_length=PRODUCTS_PER_UPSERT)


class Upserted(Answer):
    applied: Count
    stale: Count = Field(description="Versions that were known already, or older than what is.")


class Rebuild(Answer):
    """What is not written again from now on is withdrawn with the leftovers."""

    generation: int = Field(ge=1)


class Withdrawn(Answer):
    withdrawn: Count = Field(description="0 when nothing is left of earlier generations.")


class Change(Answer):
    sequence: int = Field(ge=1)
    id: ItemId
    version: Version
    deleted: bool


class Changes(Answer):
    """The newest state of what changed, in order; a product is told once, at its last change."""

    changes: list[Change] = Field(max_length=CHANGES_PER_PAGE)
    next: int = Field(ge=0, description="Ask with `after` set to this to go on.")
