import numpy as np
import pytest

from reco_app.engine import measures, trials
from reco_app.engine.parameters import Parameters
from reco_app.engine.rank import ContextItem, rank
from tests.reco_app.engine.logs import model_of, random_log

ITEMS, CUTOFF = 40, 10
RNG = np.random.default_rng(1)
CASES = [
    trials.Case(
        [ContextItem(int(item), place % 4, 2.0, 60.0 * place) for place, item in enumerate(items)],
        int(RNG.integers(-1, ITEMS)),
    )
    for items in RNG.integers(0, ITEMS, (60, 5))
]


@pytest.mark.parametrize("repeats", [True, False])
def test_a_trial_finds_what_ranking_one_by_one_finds(repeats):
    model = model_of(random_log(5, sessions=400, items=ITEMS), ITEMS, Parameters())
    lists = np.full((len(CASES), CUTOFF), -1, np.int32)
    for number, case in enumerate(CASES):
        mask = np.ones(ITEMS, np.uint8)
        mask[[entry.item for entry in case.context]] = repeats
        ranked = rank(model, case.context, scenario="session", mask=mask, count=CUTOFF)
        lists[number] = ranked.items
    one_by_one = measures.positions(lists, np.array([case.target for case in CASES]))

    columns = trials.columns(CASES)
    at_once = trials.positions(model.index, columns, Parameters(), repeats=repeats, cutoff=CUTOFF)

    assert (one_by_one > 0).any()
    assert at_once.tolist() == one_by_one.tolist()
