import json
from dataclasses import dataclass

import numpy as np

from reco_app.engine.content import alike
from reco_app.training import descriptions

PATHS = ["Dairy > Milk", "Tools > Nails"]


@dataclass
class Shelf:
    """A release's snapshot of these products: title, category, brand, price in hundredths."""

    products: list[tuple[str, int, int, int]]

    def __post_init__(self) -> None:
        self.category_start = np.arange(len(self.products) + 1)
        self.categories = np.array([category for _, category, _, _ in self.products])
        self.brand = np.array([brand for _, _, brand, _ in self.products])
        self.price = np.array([price for _, _, _, price in self.products])
        self.vocabulary = {"categories": PATHS}

    def card(self, item: int) -> bytes:
        return json.dumps({"title": self.products[item][0]}).encode()


def _nearest(*products: tuple[str, int, int, int]) -> int:
    """What is most like the first of these products."""
    described = descriptions.features(Shelf([*products]))  # type: ignore[arg-type]
    return int(alike(described, np.zeros(len(products), np.float32), row=5).items[0])


def test_the_same_category_says_more_than_the_same_brand():
    assert _nearest(("Whole", 0, 1, 100), ("Steel", 1, 1, 100), ("Skimmed", 0, 2, 100)) == 2


def test_a_word_counts_in_any_case():
    assert _nearest(("Oat MILK", 0, 1, 100), ("Rice", 0, 1, 100), ("milk", 0, 1, 100)) == 2


def test_near_prices_are_more_alike_than_far_ones():
    assert _nearest(("Milk", 0, 1, 100), ("Milk", 0, 1, 900), ("Milk", 0, 1, 110)) == 2


def test_a_product_without_price_brand_or_card_has_no_such_features():
    shelf = Shelf([("", 0, -1, -1)])
    described = descriptions.features(shelf)  # type: ignore[arg-type]

    assert len(described.features) == 2  # the category and the one above it
