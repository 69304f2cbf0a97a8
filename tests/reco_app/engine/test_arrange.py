import functools
import operator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_app.engine.arrange import BY_COVERAGE, BY_DIVERSITY, BY_RELEVANCE, Traits, arrange

NO_VECTORS = np.zeros((0, 2), np.float32)
NO_VECTORS.flags.writeable = False
WORTH = st.integers(0, 100).map(lambda hundredths: hundredths / 100)


def traits(categories, *, vectors=NO_VECTORS, brands=None):
    size = len(categories)
    rows = np.arange(size) if len(vectors) else np.full(size, -1)
    return Traits(
        np.array(categories, np.int32),
        np.array(brands or [-1] * size, np.int32),
        rows.astype(np.int32),
        vectors,
    )


def arranged(relevance, like, *, later=None, covers=None, diversity=0.0, count=50):
    size = len(relevance)
    return arrange(
        np.array(relevance, np.float64),
        np.array(later or [0] * size, np.uint8),
        like,
        np.array(covers or [0] * size, np.uint64),
        diversity=diversity,
        count=count,
    )


def rows(*given, **named):
    return arranged(*given, **named).rows.tolist()


def any_of(covers):
    return functools.reduce(operator.or_, covers, 0)


def test_without_diversity_the_most_relevant_comes_first_and_ties_keep_their_order():
    found = arranged([0.2, 0.9, 0.5, 0.9], traits([0, 0, 0, 0]))
    assert found.rows.tolist() == [1, 3, 2, 0]
    assert found.causes.tolist() == [BY_RELEVANCE] * 4


def test_of_two_alike_by_their_vectors_the_second_waits():
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    vectors.flags.writeable = False
    found = arranged([1.0, 0.9, 0.5], traits([-1, -1, -1], vectors=vectors), diversity=0.5)
    assert found.rows.tolist() == [0, 2, 1]
    assert found.causes.tolist() == [BY_RELEVANCE, BY_DIVERSITY, BY_RELEVANCE]


def test_without_vectors_category_and_brand_tell_what_is_alike():
    assert rows([1.0, 0.9, 0.5], traits([7, 7, 8]), diversity=0.5) == [0, 2, 1]
    branded = traits([-1, -1, -1], brands=[3, 3, 4])
    assert rows([1.0, 0.9, 0.8], branded, diversity=0.5) == [0, 2, 1]


def test_at_full_diversity_no_category_comes_twice_before_all_came_once():
    assert rows([0.9, 0.8, 0.7, 0.6, 0.5], traits([1, 1, 1, 2, 3]), diversity=1.0)[:3] == [0, 3, 4]


def test_a_single_category_fills_the_list_all_the_same():
    assert len(rows([0.5] * 20, traits([4] * 20), diversity=1.0, count=15)) == 15


def test_what_comes_later_stays_behind_whatever_diversity_wants():
    found = rows([0.1, 0.1, 1.0], traits([1, 1, 2]), later=[0, 0, 1], diversity=1.0)
    assert found == [0, 1, 2]


def test_each_covered_product_at_hand_is_there_by_the_last_place_that_is_left_for_it():
    first, second, third = 1, 2, 4
    covers = [first, first, first, second, first | third]
    found = arranged([0.9, 0.8, 0.7, 0.6, 0.5], traits([-1] * 5), covers=covers)
    assert found.rows.tolist()[:3] == [0, 3, 4]
    assert found.causes.tolist()[:3] == [BY_RELEVANCE, BY_COVERAGE, BY_COVERAGE]


def test_a_candidate_that_covers_two_leaves_a_place_to_relevance():
    assert rows([0.9, 0.8, 0.1], traits([-1] * 3), covers=[3, 0, 4])[:3] == [0, 1, 2]


@settings(deadline=None)
@given(data=st.data(), size=st.integers(1, 30), diversity=st.sampled_from([0.0, 0.2, 0.5, 1.0]))
def test_the_bounds_hold_and_a_shorter_list_is_the_beginning_of_a_longer_one(data, size, diversity):
    def drawn(values):
        return data.draw(st.lists(values, min_size=size, max_size=size))

    relevance, covers = drawn(WORTH), drawn(st.integers(0, 15))
    categories = drawn(st.integers(-1, 3))
    given_ = {"covers": covers, "diversity": diversity}
    found = rows(relevance, traits(categories), **given_)
    assert sorted(found) == list(range(size))
    shorter = data.draw(st.integers(0, size))
    assert rows(relevance, traits(categories), **given_, count=shorter) == found[:shorter]
    supported = any_of(covers)
    assert any_of(covers[row] for row in found[: supported.bit_count()]) == supported


@settings(deadline=None)
@given(data=st.data(), size=st.integers(2, 30), diversity=st.sampled_from([0.1, 0.3, 0.7, 1.0]))
def test_no_category_takes_more_than_its_bound_while_others_are_left(data, size, diversity):
    kinds = data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    relevance = data.draw(st.lists(WORTH, min_size=size, max_size=size))
    found = rows(relevance, traits(kinds), diversity=diversity)
    for place, row in enumerate(found):
        before = [kinds[other] for other in found[:place]]
        left = [kinds[other] for other in found[place:]]
        fewest = min(before.count(kind) for kind in left)
        assert before.count(kinds[row]) < max(0.5 + (1 - diversity) * place, fewest + 1)
