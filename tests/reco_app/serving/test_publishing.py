"""A publish that goes wrong leaves the last good release; `make bench` does it 10,000 times."""

from bench import publish


def test_three_hundred_kills_and_damages_never_put_a_bad_release_into_use():
    assert publish.run(300) == {"publish.trials": 300, "publish.bad_releases_served": 0}
