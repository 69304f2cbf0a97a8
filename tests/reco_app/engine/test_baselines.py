import numpy as np
import pytest

from reco_app.engine import baselines, foreign
from tests.reco_app.engine.logs import log_of, model_of

# Items 0 to 4 are chosen together, 5 to 9 too; 0 and 5 the most often.
SESSIONS = [[first, *range(first + 1, first + 5)] for first in (0, 5)] * 6 + [[0, 5]]
INDEX = model_of(log_of(SESSIONS), 10).index


@pytest.mark.parametrize("methods", [baselines.NEXT_ITEM, baselines.BASKET, foreign.BASELINES])
def test_a_baseline_prefers_what_was_chosen_together(methods):
    for name, baseline in methods.items():
        found = baseline(INDEX)(np.array([1, 2]))

        assert len(found) == 10
        if name != "popularity":
            assert found[[3, 4]].min() > found[[6, 7, 8, 9]].max(), name


@pytest.mark.parametrize("methods", [baselines.NEXT_ITEM, baselines.BASKET, foreign.BASELINES])
def test_a_baseline_takes_a_context_of_unknown_products_alone(methods):
    for name, baseline in methods.items():
        found = baseline(INDEX)(np.empty(0, np.int64))

        assert found.any() == (name == "popularity"), name


def test_the_most_frequent_are_the_most_popular():
    found = baselines.NEXT_ITEM["popularity"](INDEX)(np.array([1]))

    assert set(np.argsort(-found)[:2].tolist()) == {0, 5}


def test_of_a_large_catalogue_ease_knows_the_most_frequent(monkeypatch):
    monkeypatch.setattr(baselines, "EASE_ITEMS", 6)

    found = baselines.BASKET["ease"](INDEX)(np.array([0]))

    assert np.count_nonzero(found) == 5
