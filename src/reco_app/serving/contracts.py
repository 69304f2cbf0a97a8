"""What a recommendation request and its answer look like on the wire.

Requests are strict: a field that is not named here is refused. Money is a decimal string.
What is made for every request (`gc=False`) cannot be part of a cycle: no collector need look at it.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

MAX_ITEMS = 50
MAX_COUNT = 100
DEFAULT_COUNT = 12
COUNTED = f"How many; null is what the placement says, or {DEFAULT_COUNT}."
NOT_ASKED = "Changes no answer, and is kept nowhere."
MAX_FILTER_VALUES = 50
MAX_EXCLUDED = 200
MAX_FIELDS = 14  # all there are
# Python's `$` also matches before a last line feed; the look-ahead closes that door.
ITEM_ID_PATTERN = r"^[A-Za-z0-9._~-]{1,64}$(?!\n)"
DECIMAL_PATTERN = r"^[0-9]{1,10}(\.[0-9]{1,4})?$(?!\n)"
SLUG_PATTERN = r"^[A-Za-z0-9_-]{1,50}$(?!\n)"

ItemId = Annotated[str, Meta(pattern=ITEM_ID_PATTERN, description="1 to 64 of A-Z a-z 0-9 . _ ~ -")]
Money = Annotated[str, Meta(pattern=DECIMAL_PATTERN, description="A decimal string, as 2.95")]
Slug = Annotated[str, Meta(pattern=SLUG_PATTERN)]
Name = Annotated[str, Meta(min_length=1, max_length=300)]
Names = Annotated[tuple[Name, ...], Meta(max_length=MAX_FILTER_VALUES)]
SessionId = Annotated[str, Meta(min_length=1, max_length=64, description=NOT_ASKED)]
EventType = Literal["view", "click", "add-to-cart", "purchase"]
CardField = Literal[
    "title",
    "description",
    "brand",
    "categories",
    "price",
    "sale_price",
    "currency",
    "availability",
    "image_url",
    "url",
    "attributes",
    "tags",
    "item_group_id",
    "published_at",
]
DEFAULT_FIELDS: tuple[CardField, ...] = (
    "title",
    "brand",
    "categories",
    "price",
    "sale_price",
    "currency",
    "availability",
    "image_url",
    "url",
)


class RequestItem(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One product at hand: a recent view, or a line of the basket."""

    item_id: ItemId
    event_type: EventType = "view"
    quantity: Annotated[int, Meta(ge=1, le=10_000)] = 1
    age_seconds: Annotated[float, Meta(ge=0, le=1e9)] = 0.0


class Filter(Struct, frozen=True, forbid_unknown_fields=True):
    """Which products may appear: within a field OR, between fields AND."""

    category: Names = ()
    brand: Names = ()
    price_min: Money | None = None
    price_max: Money | None = None
    in_stock: bool = True


class Budget(Struct, frozen=True, forbid_unknown_fields=True):
    """At least one of the two. `remaining` is what is left to spend: what fits comes first, and
    nothing is left out. `free_shipping_gap` is what the basket lacks for free shipping: what fills
    it counts up to twice as much, the less it costs above it."""

    remaining: Money | UnsetType = UNSET
    free_shipping_gap: Money | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.remaining is UNSET and self.free_shipping_gap is UNSET:
            raise ValueError("Name what is left to spend, the gap to free shipping, or both")


class Request(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`items` oldest first; `scenario` is one of the six or the slug of a placement."""

    scenario: Slug = "session"
    items: Annotated[tuple[RequestItem, ...], Meta(max_length=MAX_ITEMS)] = ()
    count: Annotated[int, Meta(ge=1, le=MAX_COUNT, description=COUNTED)] | None = None
    profile: Slug | None = None
    filter: Filter = Filter()
    budget: Budget | None = None
    exclude_ids: Annotated[tuple[ItemId, ...], Meta(max_length=MAX_EXCLUDED)] = ()
    diversity: Annotated[float, Meta(ge=0, le=1)] = 0.0
    fields: Annotated[tuple[CardField, ...], Meta(max_length=MAX_FIELDS)] = DEFAULT_FIELDS
    include_context: bool = False
    session_id: SessionId | None = None
    consent: Annotated[bool, Meta(description=NOT_ASKED)] = False


class WhyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Asks how an answer came about, and about one product of it or missing from it."""

    recommendation_id: Annotated[str, Meta(min_length=1, max_length=512)]
    request: Request
    item_id: ItemId | None = None


class Reason(Struct, frozen=True, gc=False):
    """`item_id` is null where no product of the request drove the result."""

    item_id: str | None
    share: float
    evidence: str
    count: int | None = None


class Result(Struct, frozen=True, gc=False):
    item_id: str
    score: float
    position: int
    source: str
    reasons: list[Reason]
    product: Raw | None


class Warning(Struct, frozen=True):
    code: str
    detail: str


class ModelVersion(Struct, frozen=True):
    version: str
    trained_at: str


class Answer(Struct, frozen=True, gc=False):
    recommendation_id: str
    items: list[Result]
    missing_ids: list[str]
    warnings: list[Warning]
    degraded: list[str]
    model: ModelVersion | None


class RuleTold(Struct, frozen=True):
    id: int
    kind: str
    target: str
    factor: float
    position: int | None
    note: str


PlacedBy = Literal["score", "budget", "diversity", "coverage", "pin"]


class Step(Struct, frozen=True):
    """One product of the answer; engine, rules and profile multiply to the score, but for the
    scale. `place_by_score` is where the score alone would put it among the candidates, and
    `placed_by` what gave it its place: "score", "budget", "diversity", "coverage" or "pin"."""

    item_id: str
    position: int
    place_by_score: int | None
    placed_by: PlacedBy
    source: str
    engine_score: float | None
    rule_factor: float
    profile_factor: float
    budget_factor: float
    beyond_budget: bool
    score: float
    reasons: list[Reason]
    rules: list[int]


class Cause(Struct, frozen=True):
    """One reason why a product is not shown."""

    code: str
    detail: str


class Asked(Struct, frozen=True):
    """The product asked for: the place where it is shown, or every reason why it is not."""

    item_id: str
    shown_at: int | None
    absent_because: list[Cause]


class Why(Struct, frozen=True):
    """The whole decision; `item` tells of the product asked for, in the answer or not."""

    release: str
    answered_at: datetime
    curation_version: int
    curation_version_now: int
    delta_position: int
    """Number of the newest event that the answer knew of beyond its release; 0: of none."""
    delta_position_now: int
    """The same of what the replay knows: where they differ, counts and order may as well."""
    scenario: str
    placement: str | None
    candidates: int
    allowed: int
    filter_set_aside: bool
    missing_ids: list[str]
    warnings: list[Warning]
    degraded: list[str]
    rules: list[RuleTold]
    steps: list[Step]
    item: Asked | None
