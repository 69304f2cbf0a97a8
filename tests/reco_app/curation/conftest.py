from decimal import Decimal

import pytest

from reco_app.curation import clients, store


class Catalogue:
    """Stands where the catalogue service does: takes cards, or says what it is told to say."""

    def __init__(self) -> None:
        self.batches = []
        self.trouble = None

    def put(self, cards):
        if self.trouble:
            raise self.trouble
        self.batches.append(cards)

    @property
    def cards(self):
        return [card for batch in self.batches for card in batch]


@pytest.fixture
def catalogue(monkeypatch):
    fake = Catalogue()
    monkeypatch.setattr(clients, "put_products", fake.put)
    return fake


@pytest.fixture
def products(db):
    rows = {
        item_id: {"title": title, "price": Decimal("2.50"), "currency": "USD"}
        | {"categories": ["Home > Kitchen"]}
        for item_id, title in [("mug", "Blue mug"), ("pan", "Iron pan"), ("pot", "Tea pot")]
    }
    store.upsert_products(rows, reason="test", user_id=None)
    return rows
