"""What the profile component promises the product's other components on the wire."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from profile_app.contracts import (
    LABELS_PER_DIMENSION,
    SESSION_FLOOR,
    Answer,
    Given,
    ItemId,
    Label,
    Profile,
    Slug,
    Source,
    WeightsByLabel,
    WeightsGiven,
    by_label,
)

PREFERENCES_PER_CALL = 1000
PROFILES_PER_CALL = 100

Sessions = Annotated[int, Field(ge=SESSION_FLOOR, le=2**31 - 1)]
CountsByLabel = Annotated[
    dict[Label, Sessions],
    Field(max_length=LABELS_PER_DIMENSION),
    by_label({"type": "integer", "minimum": SESSION_FLOOR, "maximum": 2**31 - 1}),
]


class ProfilesWritten(Answer):
    profiles: list[Profile] = Field(max_length=PROFILES_PER_CALL)


class Applied(Answer):
    applied: int = Field(ge=0)


class ProfileGiven(Given):
    slug: Slug
    name: Label = Field(max_length=100)
    description: Annotated[str, StringConstraints(pattern=r"^[^\u0000]*$", max_length=2000)]
    weights: WeightsGiven
    source: Source
    version: int | None = Field(
        default=None,
        ge=0,
        le=2**31 - 1,
        description="The version this change was made from, 0 for a profile that must not exist "
        "yet; left out, the change is made whatever the version.",
    )


class CountsGiven(Given):
    """How many sessions stand behind each figure."""

    categories: CountsByLabel = {}
    brands: CountsByLabel = {}
    price_bands: CountsByLabel = {}


class PreferencesGiven(Given):
    item_id: ItemId
    sessions: Sessions
    categories: WeightsByLabel = {}
    brands: WeightsByLabel = {}
    price_bands: WeightsByLabel = {}
    counts: CountsGiven | None = None

    @model_validator(mode="after")
    def _every_figure_is_counted(self) -> Self:
        counts = self.counts
        if counts and not (
            self.categories.keys() <= counts.categories.keys()
            and self.brands.keys() <= counts.brands.keys()
            and self.price_bands.keys() <= counts.price_bands.keys()
        ):
            raise PydanticCustomError("figure_without_count", "a figure has no count of sessions")
        return self


def _refuse_repeats(keys: Iterable[str]) -> None:
    repeated = [key for key, times in Counter(keys).items() if times > 1]
    if repeated:
        raise PydanticCustomError("repeated", "{key} is in it twice", {"key": repeated[0]})


def _slugs_once(profiles: list[ProfileGiven]) -> list[ProfileGiven]:
    _refuse_repeats(profile.slug for profile in profiles)
    return profiles


def _items_once(preferences: list[PreferencesGiven]) -> list[PreferencesGiven]:
    _refuse_repeats(preference.item_id for preference in preferences)
    return preferences


class ProfilesGiven(Given):
    profiles: Annotated[list[ProfileGiven], AfterValidator(_slugs_once)] = Field(
        min_length=1, max_length=PROFILES_PER_CALL
    )


class AllPreferencesGiven(Given):
    preferences: Annotated[list[PreferencesGiven], AfterValidator(_items_once)] = Field(
        min_length=1, max_length=PREFERENCES_PER_CALL
    )
