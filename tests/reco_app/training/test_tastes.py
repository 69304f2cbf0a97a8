import numpy as np
import pytest
from scipy import sparse

from reco_app.training import tastes
from tests.reco_app.engine import logs

ITEMS = 12
SESSIONS = 240


def labels(*categories: str) -> tastes.Labels:
    """ITEMS items; each has one of these categories, in turn."""
    names = list(dict.fromkeys(categories))
    columns = [names.index(categories[item % len(categories)]) for item in range(ITEMS)]
    ones = np.ones(ITEMS, np.float32)
    return tastes.Labels(
        names=names,
        dimension=np.zeros(len(names), np.uint8),
        of_items=sparse.csr_array((ones, (range(ITEMS), columns)), (ITEMS, len(names))),
    )


def profiles(known: tastes.Labels) -> list[str]:
    """Slugs of the tastes found in sessions that each keep to every third item."""
    sessions = [[(start + step) % ITEMS for step in (0, 3, 6)] for start in range(SESSIONS)]
    index = logs.model_of(logs.log_of(sessions), ITEMS).index
    return sorted(taste["slug"] for taste in tastes.profiles(index, known, "USD"))


def test_sessions_that_keep_to_a_category_have_its_taste() -> None:
    assert profiles(labels("Garden", "Kitchen", "Books")) == ["books", "garden", "kitchen"]


@pytest.mark.parametrize("categories", [("Garden",), ("Garden", "Kitchen")])
def test_a_shop_where_all_sessions_are_alike_has_no_taste_of_its_own(
    categories: tuple[str, ...],
) -> None:
    assert profiles(labels(*categories)) == []


def test_too_few_sessions_have_no_taste() -> None:
    index = logs.model_of(logs.log_of([[0, 1, 2]] * 79), ITEMS).index

    assert tastes.profiles(index, labels("Garden"), "USD") == []
