import numpy as np

from reco_app.engine.parameters import Neighbourhood, Parameters
from reco_app.engine.rank import ContextItem
from reco_app.engine.trials import Case
from reco_app.engine.tuning import BELIEVED, BELIEVED_OF_FEW, better, tune
from tests.reco_app.engine.logs import model_of, random_log

ITEMS = 60
INDEX = model_of(random_log(3, sessions=300, items=ITEMS), ITEMS).index
RNG = np.random.default_rng(0)
# The item at hand comes again: what is told to be next to impossible is all there is to find.
AGAIN = [
    Case([ContextItem(int(item)), ContextItem(int(other))], int(item))
    for item, other in RNG.integers(0, 30, (150, 2))
]
WRONG = Parameters(session=Neighbourhood(repeat_factor=0.0))


def test_tuning_finds_that_items_come_again_where_they_do():
    tuned = tune(INDEX, AGAIN, WRONG, repeats=True, trials=9)

    assert tuned.parameters.session.repeat_factor > 0
    assert tuned.gain > 0.1


def test_tuning_comes_to_the_same_twice():
    assert tune(INDEX, AGAIN, WRONG, repeats=True, trials=9) == tune(
        INDEX, AGAIN, WRONG, repeats=True, trials=9
    )


def test_what_gains_nothing_is_not_taken():
    cases = [Case([ContextItem(1)], -1)] * 150

    assert tune(INDEX, cases, Parameters(), repeats=False, trials=9).parameters == Parameters()


def test_of_few_cases_a_gain_must_be_surer_than_of_many():
    gains = np.tile([0.0, 0.1], 50) - 0.0425  # a mean of 1.5 standard errors

    assert better(gains, BELIEVED)
    assert not better(gains, BELIEVED_OF_FEW)


def test_too_few_cases_leave_the_parameters_as_they_are():
    assert tune(INDEX, AGAIN[:20], WRONG, repeats=True, trials=9).parameters == WRONG
