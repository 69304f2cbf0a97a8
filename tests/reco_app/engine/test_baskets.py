import numpy as np

from reco_app.engine.basket_tuning import tune_baskets
from reco_app.engine.parameters import BasketNeighbourhood, Linear, Parameters
from reco_app.engine.rank import ContextItem, rank
from reco_app.engine.trials import Case
from tests.reco_app.engine.logs import log_of, model_of, random_log, sessions_of

ITEMS = 12
BARE = Parameters(
    substitute_factor=1.0,
    basket=Linear(neighbours=0.0),
    basket_neighbourhood=BasketNeighbourhood(
        weight=1.0, match_idf_power=0.0, length_power=0.0, recency_days=1e12
    ),
)
# Three of four go together; pairs of them say nothing, since each pair is in two of the fours.
FOURS = [[0, 1, 2, 3], [0, 1, 4, 5], [2, 3, 4, 5], [0, 2, 4, 6], [1, 3, 5, 6]] * 30


def _ranked(parameters, baskets, context):
    model = model_of(log_of(baskets, event_type="purchase"), ITEMS, parameters)
    mask = np.ones(ITEMS, np.uint8)
    mask[context] = 0
    asked = [ContextItem(item, 3) for item in context]
    return rank(model, asked, scenario="basket", mask=mask, count=ITEMS - len(context))


def test_baskets_alike_score_by_the_products_that_they_share():
    ranked = _ranked(BARE, [[0, 1, 2], [0, 3], [0, 1, 4]], [0, 1])
    scores = dict(zip(ranked.items.tolist(), ranked.scores.tolist(), strict=True))

    # Of 5 shared products two baskets hold 2 each and one holds 1.
    assert np.isclose(scores[2], 0.4 / 1.4)
    assert np.isclose(scores[4], 0.4 / 1.4)
    assert np.isclose(scores[3], 0.2 / 1.2)


def test_a_basket_alike_speaks_for_the_products_it_shares():
    ranked = _ranked(BARE, [[0, 1, 2], [0, 3], [0, 1, 4]], [0, 1])
    shares = dict(zip(ranked.items.tolist(), ranked.shares.tolist(), strict=True))

    assert np.allclose(shares[2], [0.5, 0.5])
    assert np.allclose(shares[3], [1.0, 0.0])


def test_shares_are_parts_of_the_sum_of_weights_and_baskets():
    baskets = [[0, 1, 2], [0, 3], [0, 1, 4]] * 5
    both = BARE._replace(basket=Linear(length_power=0.0, recency_days=1e12, ridge=1.0))
    weights = both._replace(basket_neighbourhood=BasketNeighbourhood(weight=0.0))

    ranked = {
        name: _ranked(parameters, baskets, [0, 1])
        for name, parameters in {"both": both, "baskets": BARE, "weights": weights}.items()
    }
    parts = {}
    for name, found in ranked.items():
        place = found.items.tolist().index(3)
        score = found.scores[place] / (1 - found.scores[place])
        parts[name] = score * found.shares[place]

    assert np.allclose(parts["both"][0], parts["baskets"][0] + parts["weights"][0], atol=1e-5)


def test_sessions_with_views_are_no_baskets():
    mixed = random_log(3, sessions=100, items=ITEMS)

    assert model_of(mixed, ITEMS, BARE).baskets is None
    assert model_of(log_of(FOURS, event_type="purchase"), ITEMS, BARE).baskets is not None


def _cases(target):
    return [
        Case([ContextItem(int(item), 3) for item in basket[:3]], target(basket)) for basket in FOURS
    ]


def _tuned(given, target):
    log = log_of(FOURS, event_type="purchase")
    model = model_of(log, ITEMS, given)
    return tune_baskets(sessions_of(log), model.index, _cases(target), given)


def test_tuning_finds_that_baskets_alike_tell_more_than_pairs():
    given = Parameters(
        basket_neighbourhood=BasketNeighbourhood(weight=0.0), basket=Linear(neighbours=0.0)
    )

    tuned = _tuned(given, lambda basket: basket[3])

    assert tuned.parameters.basket_neighbourhood.weight > 0
    assert tuned.gain > 0.1


def test_tuning_baskets_comes_to_the_same_twice():
    given = Parameters()

    assert _tuned(given, lambda basket: basket[3]) == _tuned(given, lambda basket: basket[3])


def test_what_gains_nothing_in_baskets_is_not_taken():
    assert _tuned(Parameters(), lambda basket: -1).parameters == Parameters()


def test_too_few_baskets_leave_the_parameters_as_they_are():
    log = log_of(FOURS, event_type="purchase")
    index = model_of(log, ITEMS).index
    few = _cases(lambda basket: basket[3])[:50]

    assert tune_baskets(sessions_of(log), index, few, Parameters()).parameters == Parameters()
