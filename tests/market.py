"""A small grocery whose answers are known by construction: 300 products, 100 meals.

The n-th product of each category of a meal is bought together with the n-th of the others, in
`BASKETS` baskets each and with nothing else: Pasta 3 goes with Sauce 3 and Cheese 3.
"""

import csv
import json
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

MEALS = (
    ("Grocery > Pasta", "Grocery > Sauce", "Dairy > Cheese"),
    ("Pastry > Bread", "Dairy > Butter", "Dairy > Eggs"),
    ("Grocery > Coffee", "Dairy > Milk", "Grocery > Sugar"),
    ("Meat > Sausage", "Grocery > Mustard", "Pastry > Rolls"),
    ("Produce > Salad", "Produce > Tomatoes", "Grocery > Olive oil"),
    ("Seafood > Salmon", "Produce > Lemons", "Produce > Potatoes"),
    ("Spirits > Wine", "Deli > Olives", "Grocery > Crackers"),
    ("Drugstore > Shampoo", "Drugstore > Soap", "Cosmetics > Lipstick"),
    ("Garden > Plants", "Garden > Soil", "Floral > Roses"),
    ("Grocery > Tea", "Pastry > Cakes", "Grocery > Honey"),
)
KINDS = 10  # products a category
BASKETS = 25  # of each meal


def write(folder: Path) -> tuple[Path, Path]:
    """Write `products.jsonl` and `events.csv`, the last basket an hour ago."""
    folder.mkdir(parents=True, exist_ok=True)
    products, events = folder / "products.jsonl", folder / "events.csv"
    products.write_text("".join(f"{json.dumps(each)}\n" for each in _products()))
    with events.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["session_id", "item_id", "timestamp", "event_type", "quantity", "price"])
        rows.writerows(_lines(datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)))
    return products, events


def item_id(category: str, number: int) -> str:
    """`Grocery > Olive oil`, 3 → `olive-oil-3`."""
    return f"{category.split(' > ')[1].lower().replace(' ', '-')}-{number}"


def _products() -> list[dict[str, object]]:
    return [
        {
            "id": item_id(category, number),
            "title": f"{category.split(' > ')[1]} {number}",
            "brand": f"Maker {number}",
            "categories": [category],
            "price": f"{number}.50",
            "currency": "USD",
            "availability": "in_stock",
            "attributes": {"package_size": f"{number} lb"},
            "published_at": "2026-01-01T00:00:00Z",
        }
        for meal in MEALS
        for category in meal
        for number in range(1, KINDS + 1)
    ]


def _lines(last: datetime) -> list[list[object]]:
    """Every basket holds one meal; meals take turns, so that each was bought lately."""
    baskets = product(range(BASKETS), range(1, KINDS + 1), MEALS)
    return [
        [f"basket-{at}", item_id(category, number), _time(last, at), "purchase", 1, f"{number}.50"]
        for at, (_, number, meal) in enumerate(baskets)
        for category in meal
    ]


def _time(last: datetime, steps_before: int) -> str:
    return (last - timedelta(minutes=10 * steps_before)).isoformat()
