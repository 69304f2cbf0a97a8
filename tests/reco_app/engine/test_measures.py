import numpy as np

from reco_app.engine import measures

LISTS = np.array([[4, 5, 6], [7, 8, -1], [1, 2, 3], [9, -1, -1]], np.int32)
FOUND = measures.positions(LISTS, np.array([4, 8, 9, -1]))


def test_positions_count_from_one_and_unknown_targets_are_never_found():
    assert FOUND.tolist() == [1, 2, 0, 0]


def test_recall_is_the_part_found_within_the_cutoff():
    assert measures.recall(FOUND, 3).mean() == 0.5
    assert measures.recall(FOUND, 1).mean() == 0.25


def test_reciprocal_ranks_and_gains_fall_with_the_position():
    assert measures.reciprocal_rank(FOUND, 3).tolist() == [1.0, 0.5, 0.0, 0.0]
    assert np.allclose(measures.ndcg(FOUND, 3), [1.0, 1 / np.log2(3), 0, 0])


def test_coverage_counts_distinct_items_within_the_cutoff():
    assert measures.coverage(LISTS, 1, 8) == 0.5


def test_popularity_is_relative_to_the_most_popular_item():
    popular = np.arange(10.0)

    assert measures.popularity_bias(np.array([[9], [0]], np.int32), 1, popular) == 0.5


def test_an_interval_holds_the_mean_and_narrows_with_more_sessions():
    gains = np.tile([0.0, 1.0], 500)
    few = measures.paired_interval(gains[:20], np.arange(20))
    many = measures.paired_interval(gains, np.arange(1000))

    assert few.low < 0.5 < few.high
    assert many.high - many.low < few.high - few.low
