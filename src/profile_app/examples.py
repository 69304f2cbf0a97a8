"""What the document shows of each shape."""

from typing import Any

from pydantic import JsonValue

PROFILE: dict[str, JsonValue] = {
    "slug": "gift-buyer",
    "name": "Gift buyer",
    "description": "Looks for small, well made things to give away.",
    "weights": {
        "category": {"Home > Kitchen": 0.46, "Home > Decoration": 0.31},
        "brand": {"Alessi": 0.12},
        "price_band": {"10-20": 0.58, "20-50": 0.24},
    },
    "source": "mined",
    "updated_at": "2026-11-22T02:10:04Z",
    "version": 3,
}
MATCH_BY_ITEMS: dict[str, JsonValue] = {"item_ids": ["85123A", "22423"]}
MATCH_BY_WEIGHTS: dict[str, JsonValue] = {
    "weights": {"category": {"Home > Kitchen": 1}, "price_band": {"10-20": 0.5}}
}
MATCHES: dict[str, JsonValue] = {
    "profiles": [{"slug": "gift-buyer", "name": "Gift buyer", "score": 0.83}],
    "missing_ids": ["22423"],
}
PREFERENCES: dict[str, JsonValue] = {
    "item_id": "85123A",
    "sessions": 412,
    "categories": {"Home > Kitchen": 0.37, "Home > Decoration": 0.21},
    "brands": {"Alessi": 0.09},
    "price_bands": {"10-20": 0.44, "2-5": 0.18},
    "updated_at": "2026-11-22T02:10:04Z",
}


def shown(*examples: dict[str, JsonValue]) -> dict[str, Any]:
    """Examples as JSON Schema names them."""
    return {"examples": list(examples)}
