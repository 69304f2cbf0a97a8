"""Bodies that the tests send, whole and valid until a test changes a field."""

from typing import Any


def profile(slug: str = "gift-buyer", **changed: Any) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": "Gift buyer",
        "description": "Looks for small things to give away.",
        "weights": {
            "category": {"Home > Kitchen": 0.7},
            "brand": {"Alessi": 0.2},
            "price_band": {"10-20": 0.1},
        },
        "source": "mined",
        **changed,
    }


def preferences(item_id: str = "22423", **changed: Any) -> dict[str, Any]:
    return {
        "item_id": item_id,
        "sessions": 37,
        "categories": {"Home > Kitchen": 0.6},
        "brands": {"Alessi": 0.4},
        "price_bands": {"10-20": 1.0},
        **changed,
    }
