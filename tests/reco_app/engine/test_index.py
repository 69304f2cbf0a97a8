import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_app.engine.index import Log, build
from reco_app.engine.parameters import Parameters
from reco_app.training import dataset
from tests.reco_app.engine.logs import NOW, catalogue_of, log_of, random_log, same


def _index(log: Log, count: int):
    return build(dataset.counted(log, count), catalogue_of(count), Parameters(), now=NOW)


def test_sessions_are_numbered_from_old_to_new():
    index = _index(log_of([[0, 1], [2], [3, 4, 5]]), 6)

    assert index.session_start.tolist() == [0, 2, 3, 6]
    assert index.session_items.tolist() == [0, 1, 2, 3, 4, 5]
    assert np.all(np.diff(index.session_at) > 0)


def test_an_item_lists_its_sessions_newest_first():
    index = _index(log_of([[0, 1], [1], [1, 2]]), 3)

    assert index.item_sessions[index.item_start[1] : index.item_start[2]].tolist() == [2, 1, 0]


def test_a_repeated_item_counts_once_at_its_last_moment():
    index = _index(log_of([[0, 1, 0]]), 2)

    assert index.session_items.tolist() == [0, 1]
    assert index.session_positions.tolist() == [2, 1]


def test_items_of_one_moment_stand_at_one_position():
    index = _index(log_of([[0, 1, 2]], apart_seconds=0.0), 3)

    assert index.session_positions.tolist() == [0, 0, 0]


def test_an_event_without_a_session_counts_for_popularity_only():
    log = log_of([[0, 1]])
    alone = log._replace(session=np.array([0, -1], np.int64))

    index = _index(alone, 2)

    assert index.session_items.tolist() == [0]
    assert index.popular.tolist() == [1.0, 1.0]


def test_trends_fade_and_popularity_does_not():
    log = log_of([[0], [0], [0], [1]])
    faded = log._replace(at=np.array([NOW - 30 * 86_400.0] * 3 + [NOW]))

    index = _index(faded, 2)

    assert index.popular_order.tolist() == [0, 1]
    assert index.trending_order.tolist() == [1, 0]


def test_the_newest_products_come_first_even_without_events():
    catalogue = catalogue_of(3)._replace(published_at=np.array([0.0, NOW, NOW - 9e9]))

    index = build(dataset.counted(log_of([[0]]), 3), catalogue, Parameters(), now=NOW)

    assert index.new_order.tolist()[0] == 1


def test_an_empty_log_makes_an_index():
    index = _index(log_of([]), 3)

    assert index.session_start.tolist() == [0]
    assert index.popular.tolist() == [0.0, 0.0, 0.0]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1_000), st.randoms())
def test_the_order_of_a_logs_rows_does_not_matter(seed, random):
    log = random_log(seed, sessions=30, items=12)
    rows = list(range(len(log.item)))
    random.shuffle(rows)

    shuffled = Log(*(column[rows] for column in log))

    assert same(_index(log, 12), _index(shuffled, 12))


def test_an_index_of_one_part_has_it_as_the_whole_index_and_no_other():
    counted = dataset.counted(random_log(3, sessions=60, items=20), 20)
    whole = build(counted, catalogue_of(20), Parameters(), now=NOW)

    part = build(counted, catalogue_of(20), Parameters(), now=NOW, parts={"basket"})

    assert np.array_equal(part.basket_weights, whole.basket_weights)
    assert len(whole.similar_items) * len(whole.near_items) * len(whole.vectors) > 0
    assert len(part.similar_items) + len(part.near_items) + len(part.vectors) == 0
