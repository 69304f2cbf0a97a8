"""What may be asked in a query string; unknown parameters are refused by name."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from catalog_app import cursors
from catalog_app.contracts import LONGEST_QUERY, PRODUCTS_PER_PAGE, CategoryPath, Money, Name, Sort
from catalog_app.contracts_internal import CHANGES_PER_PAGE

VALUES_PER_FILTER = 50


def _plain_digits(value: object) -> object:
    """Python reads `1_0` and `+1` as numbers; a query string may not."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise PydanticCustomError("int_parsing", "must be a whole number")
    return value


def _true_or_false(value: object) -> object:
    """Nor are `yes` and `on` what the documentation says."""
    if isinstance(value, str) and value not in ("true", "false"):
        raise PydanticCustomError("bool_parsing", "must be true or false")
    return value


Whole = Annotated[int, BeforeValidator(_plain_digits)]


class NoQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ListQuery(NoQuery):
    q: str = Field(
        default="",
        max_length=LONGEST_QUERY,
        description="Words to look for, or an id: every word must be met, the last one may be "
        "the beginning of a longer one. Case, accents and English plurals do not matter.",
    )
    category: list[CategoryPath] = Field(
        default=[],
        max_length=VALUES_PER_FILTER,
        description="A path, with everything below it. May be given several times: any of them.",
    )
    brand: list[Name] = Field(
        default=[], max_length=VALUES_PER_FILTER, description="May be given several times."
    )
    price_min: Money | SkipJsonSchema[None] = Field(
        default=None, description="At least this price; the sale price where there is one."
    )
    price_max: Money | SkipJsonSchema[None] = Field(default=None, description="At most this price.")
    in_stock: Annotated[bool, BeforeValidator(_true_or_false)] = Field(
        default=False, description="Only what can be ordered now: in stock or to pre-order."
    )
    sort: Sort | SkipJsonSchema[None] = Field(
        default=None,
        description="Left out, `relevance` where there is a `q`, else `newest`.",
    )
    limit: Whole = Field(default=20, ge=1, le=PRODUCTS_PER_PAGE)
    cursor: str | SkipJsonSchema[None] = Field(
        default=None,
        min_length=cursors.SHORTEST,
        max_length=cursors.LONGEST,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="`next` of the page before, with the other parameters as they were.",
    )

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        if self.price_min and self.price_max and Decimal(self.price_min) > Decimal(self.price_max):
            raise PydanticCustomError("bounds", "price_min is above price_max")
        return self


class ChangesQuery(NoQuery):
    after: Annotated[int, BeforeValidator(_plain_digits)] = Field(
        default=0, ge=0, le=2**53, description="`next` of the answer before; 0 for all."
    )
    limit: Whole = Field(default=500, ge=1, le=CHANGES_PER_PAGE)
