from decimal import Decimal

import pytest
import redis

from reco_app import settings
from reco_app.curation import store
from reco_app.serving import explain, live, profiles, releases
from tests.reco_app.serving import examples


@pytest.fixture
def shop(monkeypatch):
    """Puts a state into use for one test: the thirty products, unless others are given."""

    def use(**given):
        state = examples.state(**given)
        monkeypatch.setattr(live, "_state", state)
        return state

    profiles.forget()
    with redis.Redis.from_url(settings.current().redis_url) as client:
        client.flushdb()
    yield use
    profiles.forget()


@pytest.fixture
def model_dir(tmp_path, monkeypatch):
    """An empty model store, which this process follows."""
    changed = settings.current().model_copy(update={"model_dir": tmp_path / "models"})
    for module in (releases, explain):
        monkeypatch.setattr(module, "current", lambda: changed)
    releases.start_again()
    return changed.model_dir


@pytest.fixture
def stock(db):
    """Three products in the record."""
    rows = {
        item_id: {"title": item_id.title(), "price": Decimal(price), "currency": "USD"}
        for item_id, price in [("p00", "2.00"), ("p01", "3.00"), ("p02", "4.00")]
    }
    store.upsert_products(rows, reason="test", user_id=None)
    return list(rows)
