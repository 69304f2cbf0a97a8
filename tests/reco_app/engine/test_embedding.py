import numpy as np

from reco_app.engine.embedding import embed
from reco_app.engine.parameters import Parameters
from reco_app.engine.rank import SOURCES, ContextItem, rank
from tests.reco_app.engine.logs import log_of, model_of, random_log, sessions_of

# Two neighbourhoods; 0 and 4 never meet, but keep the same company.
COMPANY = [[0, 1], [1, 2], [0, 2], [4, 1], [4, 2]] * 4 + [[5, 6], [6, 7], [5, 7]] * 4


def test_items_of_the_same_company_are_near_and_others_are_not():
    found = embed(sessions_of(log_of(COMPANY)), 9)
    dots = found.vectors @ found.vectors.T
    rows = found.place

    assert dots[rows[0], rows[4]] > 0.5
    assert dots[rows[0], rows[6]] < 0.1


def test_vectors_have_length_one_and_only_items_with_sessions_have_one():
    found = embed(sessions_of(log_of(COMPANY)), 9)

    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)
    assert found.place[[3, 8]].tolist() == [-1, -1]
    assert len(found.vectors) == 7


def test_the_nearest_are_those_of_the_largest_dot_products():
    found = embed(sessions_of(random_log(2, sessions=200, items=30)), 30)
    dots = found.vectors @ found.vectors.T
    np.fill_diagonal(dots, -2)
    first = found.near.items[found.near.start[:-1]]

    assert np.array_equal(first, dots.argmax(axis=1))


def test_the_same_sessions_make_the_same_vectors():
    one, other = (embed(sessions_of(random_log(2, sessions=50, items=9)), 9) for _ in "ab")

    assert np.array_equal(one.vectors, other.vectors)


def test_too_few_items_have_no_vectors():
    found = embed(sessions_of(log_of([[0]])), 3)

    assert found.place.tolist() == [-1, -1, -1]


def test_what_only_likeness_brings_is_named_an_embedding():
    parameters = Parameters()
    only_newest = parameters._replace(session=parameters.session._replace(neighbours=1.0))
    model = model_of(log_of(COMPANY), 9, only_newest)
    mask = np.zeros(9, np.uint8)
    mask[4] = 1

    ranked = rank(model, [ContextItem(0)], scenario="session", mask=mask, count=1)

    assert SOURCES[ranked.sources[0]] == "embedding"
    assert ranked.shares.tolist() == [[1.0]]
