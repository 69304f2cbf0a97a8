import numpy as np

from reco_app.engine import linear, regressions, sessions
from reco_app.engine.parameters import Linear
from tests.reco_app.engine.logs import log_of, random_log, sessions_of

ITEMS = 20


def _baskets(log):
    by_session = sessions_of(log)
    return by_session, sessions.invert(by_session, ITEMS)


def _matrix(by_session) -> np.ndarray:
    matrix = np.zeros((len(by_session.at), ITEMS))
    for session in range(len(by_session.at)):
        first, last = by_session.start[session], by_session.start[session + 1]
        matrix[session, by_session.items[first:last]] = 1
    return matrix


def _dense(weights: linear.ItemWeights) -> np.ndarray:
    dense = np.zeros((ITEMS, ITEMS))
    for item in range(ITEMS):
        row = slice(weights.start[item], weights.start[item + 1])
        dense[item, weights.items[row]] = weights.weights[row]
    return dense


PLAIN = Linear(ridge=30.0, row=float(ITEMS), recency_days=1e12, length_power=0.0, neighbours=1e3)


def test_basket_weights_are_the_closed_form_of_ease():
    by_session, by_item = _baskets(random_log(3, sessions=2000, items=ITEMS))
    matrix = _matrix(by_session)
    assert np.all(matrix.T @ matrix > 0)
    inverse = np.linalg.inv(matrix.T @ matrix + 30 * np.eye(ITEMS))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)

    found = linear.ease(by_session, by_item, PLAIN)

    assert np.allclose(_dense(found), expected, atol=1e-4)


def test_newer_baskets_say_more():
    sessions_of = [[0, 1], [0, 2]] * 5 + [[0, 2]]
    by_session, by_item = _baskets(log_of(sessions_of))
    old_pair_first = by_session._replace(at=by_session.at - 9e6 * (np.arange(11) % 2 == 1))

    plain = _dense(linear.ease(by_session, by_item, PLAIN))
    aged = _dense(linear.ease(old_pair_first, by_item, PLAIN._replace(recency_days=30.0)))

    assert plain[0, 2] > plain[0, 1]
    assert aged[0, 1] > aged[0, 2]


def test_few_neighbours_come_close_to_all_of_them():
    by_session, by_item = _baskets(random_log(3, sessions=200, items=ITEMS))

    exact = _dense(linear.ease(by_session, by_item, PLAIN))
    near = _dense(linear.ease(by_session, by_item, PLAIN._replace(neighbours=12.0)))

    assert (near != 0).sum() == ITEMS * 12
    assert np.corrcoef(near[near != 0], exact[near != 0])[0, 1] > 0.95


def test_what_shares_one_basket_weighs_next_to_nothing_beside_what_shares_many():
    by_session, by_item = _baskets(log_of([[0, 1]] * 20 + [[0, 2]]))

    found = _dense(linear.ease(by_session, by_item, PLAIN))

    assert found[0, 1] > 10 * abs(found[0, 2])


def test_too_many_pairs_leave_out_the_rarest(monkeypatch):
    by_session, by_item = _baskets(log_of([[0, 1]] * 3 + [[0, 2], [1, 3]]))
    monkeypatch.setattr(regressions, "MOST_PAIRS", 2)

    shared = regressions.shared_baskets(by_session, by_item, np.ones(5, np.float32))

    assert shared.items.tolist() == [1, 0]
    assert shared.own.tolist()[:4] == [4, 4, 1, 1]


def test_an_order_of_everything_says_nothing_of_what_goes_with_what(monkeypatch):
    monkeypatch.setattr(regressions, "LONGEST", 3)
    by_session, by_item = _baskets(log_of([[0, 1]] * 3 + [[0, 1, 2, 3]]))
    shared = regressions.shared_baskets(by_session, by_item, np.ones(4, np.float32))

    assert shared.items.tolist() == [1, 0]


def test_what_is_in_many_baskets_weighs_a_little_more():
    by_session, by_item = _baskets(log_of([[0, 1]] * 3 + [[0, 2]] * 3 + [[2, 3]] * 4))

    gained = _dense(linear.basket_weights(by_session, by_item, PLAIN)) - _dense(
        linear.ease(by_session, by_item, PLAIN)
    )

    assert np.isclose(gained[0, 1], 0.5 * 0.3, rtol=0.01)
    assert np.isclose(gained[0, 2], 0.5 * 0.7, rtol=0.01)
    assert gained[1, 3] == 0


def test_no_neighbours_are_no_weights():
    by_session, by_item = _baskets(log_of([[0, 1]] * 9))

    found = linear.ease(by_session, by_item, Linear(neighbours=0.0))

    assert found.start.tolist() == [0] * (ITEMS + 1)


def test_cosine_is_the_shared_sessions_over_the_root_of_the_product():
    by_session, by_item = _baskets(log_of([[0, 1], [0, 1], [0], [1, 2]]))

    found = _dense(linear.cosine(by_session, by_item))

    assert np.isclose(found[0, 1], 2 / 3)
    assert np.isclose(found[1, 2], 1 / np.sqrt(3))
    assert found[0, 2] == 0


def test_rows_are_ordered_from_the_heaviest():
    by_session, by_item = _baskets(random_log(5, sessions=200, items=ITEMS))
    found = linear.cosine(by_session, by_item)

    for item in range(ITEMS):
        row = found.weights[found.start[item] : found.start[item + 1]]
        assert np.all(np.diff(row) <= 0)
