"""What the profile component promises shops on the wire.

Classes that end in `Given` are what callers send: strict, unknown fields refused. The others are
answers, complete in every field.
"""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from profile_app import examples

SESSION_FLOOR = 10  # fewer shoppers than this behind a figure could point at one of them
LABELS_PER_DIMENSION = 200
LABEL_PATTERN = r"^[^\u0000-\u001F\u007F]+$"  # PostgreSQL text holds no NUL
SLUG_PATTERN = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"
ITEM_ID_PATTERN = r"^[A-Za-z0-9._~-]+$"

Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN, max_length=64)]
ItemId = Annotated[str, StringConstraints(pattern=ITEM_ID_PATTERN, min_length=1, max_length=64)]
Label = Annotated[str, StringConstraints(pattern=LABEL_PATTERN, max_length=300)]
Source = Literal["mined", "staff"]
Weight = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


def by_label(value_schema: dict[str, object]) -> WithJsonSchema:
    """The schema of a map from labels; pydantic's own would let any key pass."""
    return WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": LABEL_PATTERN, "maxLength": 300},
            "additionalProperties": value_schema,
            "maxProperties": LABELS_PER_DIMENSION,
        }
    )


WeightsByLabel = Annotated[
    dict[Label, Weight],
    Field(max_length=LABELS_PER_DIMENSION),
    by_label({"type": "number", "minimum": 0, "maximum": 1000}),
]


class Given(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class FieldError(Answer):
    """What is wrong with one field."""

    pointer: str = Field(
        description="A JSON pointer into the body; `?name` for a query parameter, "
        "`path: name` for a part of the path."
    )
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


class Weights(Answer):
    """How strongly a taste leans to each category path, brand and price band."""

    category: dict[str, float]
    brand: dict[str, float]
    price_band: dict[str, float]


class Profile(Answer):
    """A named taste that belongs to nobody in particular."""

    model_config = ConfigDict(json_schema_extra=examples.shown(examples.PROFILE))

    slug: Slug
    name: str
    description: str
    weights: Weights
    source: Source = Field(description="Who wrote it last: training (`mined`) or `staff`.")
    updated_at: datetime
    version: int = Field(ge=1, description="Grows by one with every change.")


class ProfilePage(Answer):
    """One page of the profiles, ordered by slug."""

    profiles: list[Profile] = Field(max_length=100)
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class Match(Answer):
    slug: Slug
    name: str
    score: float = Field(ge=0, le=1, description="Cosine of the two tastes; 1 is the same taste.")


class Matches(Answer):
    """The nearest profiles, the nearest first."""

    model_config = ConfigDict(json_schema_extra=examples.shown(examples.MATCHES))

    profiles: list[Match]
    missing_ids: list[str] = Field(description="Items of the request without known preferences.")


class Preferences(Answer):
    """What the shoppers of one product prefer, in aggregate."""

    model_config = ConfigDict(json_schema_extra=examples.shown(examples.PREFERENCES))

    item_id: ItemId
    sessions: int = Field(ge=SESSION_FLOOR, description="How many sessions the figures rest on.")
    categories: dict[str, float]
    brands: dict[str, float]
    price_bands: dict[str, float]
    updated_at: datetime


class WeightsGiven(Given):
    """How strongly a taste leans to each category path, brand and price band."""

    category: WeightsByLabel = {}
    brand: WeightsByLabel = {}
    price_band: WeightsByLabel = {}


class MatchGiven(Given):
    """Either `item_ids` or `weights`, not both."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["item_ids"]}, {"required": ["weights"]}],
            **examples.shown(examples.MATCH_BY_ITEMS, examples.MATCH_BY_WEIGHTS),
        }
    )

    item_ids: list[ItemId] = Field(
        default_factory=list,
        min_length=1,
        max_length=50,
        description="Products whose shoppers to compare.",
    )
    weights: WeightsGiven = Field(default_factory=WeightsGiven, description="A taste to compare.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError("one_of_two", "give either item_ids or weights")
        return self


def _plain_digits(value: object) -> object:
    """Python reads `1_0` and `+1` as numbers; a query string may not."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise PydanticCustomError("int_parsing", "must be a whole number")
    return value


class NoQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PageQuery(NoQuery):
    limit: Annotated[int, BeforeValidator(_plain_digits)] = Field(
        default=20, ge=1, le=100, description="How many profiles a page holds at most."
    )
    cursor: Slug = Field(
        default_factory=str, description="`next` of the page before; left out for the first."
    )


class SlugPath(BaseModel):
    slug: Slug = Field(description="The name of the profile in addresses.")


class ItemPath(BaseModel):
    item_id: ItemId = Field(description="The product, by its id in the catalogue.")
