from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from profile_app import service
from profile_app.service import Vector
from profile_app.store import Taste

WEIGHTS = st.floats(min_value=0, max_value=1000)
FEATURES = st.tuples(
    st.sampled_from(["category", "brand", "price_band"]), st.sampled_from(["a", "b", "c", "d"])
)
TASTES = st.dictionaries(FEATURES, WEIGHTS, max_size=12)


def taste(slug: str, **category: float) -> Taste:
    return Taste(slug=slug, name=slug.title(), weights={"category": category})


def test_two_features_at_right_angles_and_their_middle() -> None:
    home: Vector = {("category", "Home"): 2.0}
    brand: Vector = {("brand", "Home"): 5.0}
    both: Vector = {("category", "Home"): 1.0, ("brand", "Home"): 1.0}

    assert service.cosine(home, brand) == 0
    assert isclose(service.cosine(home, both), 0.5**0.5)


@given(TASTES, TASTES)
def test_cosine_is_between_zero_and_one_and_the_same_both_ways(one: Vector, other: Vector) -> None:
    score = service.cosine(one, other)

    assert 0 <= score <= 1
    assert isclose(score, service.cosine(other, one), abs_tol=1e-12)


@given(TASTES.filter(lambda taste: any(weight > 1e-3 for weight in taste.values())))
def test_a_taste_is_nearest_to_itself_at_any_scale(taste: Vector) -> None:
    stronger = {feature: weight * 7 for feature, weight in taste.items()}

    assert isclose(service.cosine(taste, stronger), 1)


@given(st.permutations([{("brand", "a"): 3.0}, {("brand", "b"): 1.0}, {("brand", "c"): 2.0}]))
def test_the_order_of_the_items_does_not_matter(tastes: list[Vector]) -> None:
    assert service.mean(tastes) == {("brand", "a"): 1, ("brand", "b"): 1, ("brand", "c"): 1}


def test_equal_scores_are_ordered_by_slug_and_ten_are_told() -> None:
    among = [taste(f"p{n:02}", Home=1.0) for n in reversed(range(15))]

    found = service.nearest({("category", "Home"): 1.0}, among=among)

    assert [match.slug for match in found] == [f"p{n:02}" for n in range(10)]


def test_an_empty_taste_is_near_to_nothing() -> None:
    assert service.nearest({}, among=[taste("cook", Home=1.0)]) == []
