import pytest

from reco_app.engine.parameters import Parameters
from reco_app.training import revisits
from tests.reco_app.training.test_evaluation import log_of


def test_what_comes_again_is_counted_against_what_is_new():
    log = log_of({"one": "abab", "two": "abbc", "three": "ac"})

    # New after the first event: b, b, c and c; again: a and b; at once: b.
    assert revisits.counted(log) == (2 / 4, 1 / 4)


def test_products_of_a_single_session_are_left_out():
    log = log_of({"one": "abxa", "two": "ab"})

    assert revisits.counted(log) == (1 / 2, 0)


def test_an_empty_log_comes_back_to_nothing():
    assert revisits.counted(log_of({})) == (0, 0)


def test_products_met_once_in_every_session_are_not_offered_again():
    session = revisits.fitted(log_of({"one": "abc", "two": "abc"}), Parameters()).session

    assert session.repeat_factor == 0
    assert session.current_factor == pytest.approx(0.05)


def test_the_more_comes_again_the_more_it_counts():
    often = revisits.fitted(log_of({"one": "ababa", "two": "abaab"}), Parameters()).session
    seldom = revisits.fitted(log_of({"one": "abca", "two": "abc"}), Parameters()).session

    assert often.repeat_factor > seldom.repeat_factor > 0
    assert often.current_factor > seldom.current_factor
