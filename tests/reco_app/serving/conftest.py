import pytest

from reco_app.serving import live, profiles
from tests.reco_app.serving import examples


@pytest.fixture
def shop(monkeypatch):
    """Puts a state into use for one test: the thirty products, unless others are given."""

    def use(**given):
        state = examples.state(**given)
        monkeypatch.setattr(live, "_state", state)
        return state

    profiles.forget()
    yield use
    profiles.forget()


@pytest.fixture
def settings_secret():
    return b"only-for-tests-" + b"x" * 40
