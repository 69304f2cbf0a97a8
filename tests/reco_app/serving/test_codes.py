import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reco_app.serving import variants
from reco_app.serving.codes import CategorySets, upward

NAMES = st.lists(st.sampled_from(["Home", "Home office", "Kitchen", "Pans"]), min_size=1)
PATHS = NAMES.map(" > ".join)


def numbered(sets):
    codes = CategorySets()
    for paths in sets:
        codes.number(paths)
    return codes


@given(sets=st.lists(st.lists(PATHS, max_size=3).map(tuple)), asked=st.lists(PATHS, max_size=3))
def test_a_set_is_within_each_category_that_one_of_its_paths_is_in_or_below(sets, asked):
    codes = numbered(sets)
    found = codes.within(asked)
    below = [
        any(own == path or own.startswith(f"{path} > ") for own in paths for path in asked)
        for paths in codes.names
    ]
    assert found.tolist() == [*below, False]


def test_a_category_that_nothing_was_ever_in_is_not_known():
    codes = numbered([("Home > Kitchen",)])
    assert (codes.knows("Home"), codes.knows("Kitchen")) == (True, False)


def test_categories_above_a_path_come_with_it():
    assert upward("Home > Kitchen > Pans") == ["Home", "Home > Kitchen", "Home > Kitchen > Pans"]


@given(group=st.lists(st.integers(-1, 5)), asked=st.lists(st.integers(-1, 5)))
def test_the_members_of_groups_are_all_positions_in_them(group, asked):
    column = np.array(group, np.int32)
    asked = [number for number in asked if number in group]
    found = variants.of(column).members(np.array(asked, np.int32))
    expected = [at for at, number in enumerate(group) if number >= 0 and number in asked]
    assert sorted(found.tolist()) == expected
