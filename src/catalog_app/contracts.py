"""What the catalogue component promises on the wire.

Classes that end in `Given` are what callers send: strict, unknown fields refused. The others are
answers, complete in every field.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from catalog_app.money import PATTERN

IDS_PER_BATCH = 200
PRODUCTS_PER_PAGE = 100
FACET_VALUES = 50
LONGEST_QUERY = 200

ItemId = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]+$", min_length=1, max_length=64)
]
Money = Annotated[
    str, StringConstraints(pattern=PATTERN), Field(description="A decimal string, such as 2.95.")
]
BandEdge = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,13}(\.[0-9]{1,2})?$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
CategoryPath = Annotated[
    str, StringConstraints(min_length=1, max_length=300), Field(examples=["Home > Kitchen"])
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Version = Annotated[int, Field(ge=0, le=2**53)]
Availability = Literal["in_stock", "out_of_stock", "preorder"]
Sort = Literal["relevance", "price", "-price", "newest", "title", "-title"]
Count = Annotated[int, Field(ge=0)]
Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
Real = Annotated[float, Field(allow_inf_nan=False)]
Scalar = str | bool | Whole | Real
Attribute = Scalar | list[Scalar]


class Given(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Product(Answer):
    """One product as shoppers may see it."""

    id: ItemId
    title: str
    description: str
    brand: str = Field(description="Empty where the product has none.")
    categories: list[str] = Field(description="Paths, such as `Home > Kitchen`.")
    price: Money
    sale_price: Money | None = Field(description="What shoppers pay while it is set.")
    currency: Currency
    availability: Availability
    image_url: str = Field(description="Empty where there is no picture.")
    url: str
    attributes: dict[str, Attribute]
    tags: list[str]
    item_group_id: str = Field(description="Shared by variants; empty where there are none.")
    published_at: AwareDatetime
    updated_at: AwareDatetime
    version: Version


class BatchGiven(Given):
    ids: list[ItemId] = Field(max_length=IDS_PER_BATCH)


class Batch(Answer):
    """The known products, each once, in the order of the ids asked for."""

    products: list[Product] = Field(max_length=IDS_PER_BATCH)
    missing_ids: list[ItemId] = Field(max_length=IDS_PER_BATCH)


class CategoryFacet(Answer):
    path: str
    name: str = Field(description="The last part of the path.")
    count: Count


class BrandFacet(Answer):
    brand: str
    count: Count


class PriceBandFacet(Answer):
    price_band: str = Field(description="From (included) and to (excluded), such as `2-5`.")
    price_min: BandEdge
    price_max: BandEdge
    count: Count


class AvailabilityFacet(Answer):
    availability: Availability
    count: Count


class Facets(Answer):
    """Products, variants included, by what they have; each list holds the largest counts."""

    category: list[CategoryFacet] = Field(
        max_length=FACET_VALUES,
        description="The categories just below those asked for, or the topmost ones.",
    )
    brand: list[BrandFacet] = Field(max_length=FACET_VALUES)
    price_band: list[PriceBandFacet] = Field(max_length=FACET_VALUES)
    availability: list[AvailabilityFacet] = Field(max_length=3)


class ProductPage(Answer):
    """One page of the products that match."""

    products: list[Product] = Field(max_length=PRODUCTS_PER_PAGE)
    total: Count = Field(description="How many there are on all pages, one of each group.")
    facets: Facets | None = Field(description="Told with the first page; null on the others.")
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class Category(Answer):
    """A category with what lies below it."""

    path: str
    name: str
    count: Count = Field(description="Products here and below.")
    children: list["Category"]


class Categories(Answer):
    categories: list[Category]


class FieldError(Answer):
    """What is wrong with one field."""

    pointer: str = Field(description="A JSON pointer into the body; `?name` for a query parameter.")
    detail: str


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(description="The address of a page about this kind of problem.")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    instance: str = Field(description="The path of the request.")
    code: str = Field(description="The kind of problem, for programs.")
    request_id: str = Field(description="Name it when asking the operators.")
    errors: list[FieldError] = Field(default=[], description="Each field that was refused.")
