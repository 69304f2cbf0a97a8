"""What the catalogue of a release says of its products, as the engine compares them."""

import re
from collections.abc import Iterator
from math import floor, log

import numpy as np
import orjson

from reco_app.engine.content import FIELDS, Features
from reco_app.training.snapshot import Snapshot

WORD = re.compile(r"\w+")
SEPARATOR = " > "
PRICE_STEP = log(1.6)  # prices are near each other within about one step

_Feature = tuple[str, str | int]


def features(products: Snapshot) -> Features:
    """Words of the title, category paths and what they lie under, brand and price."""
    numbers: dict[_Feature, int] = {}
    start = [0]
    found: list[int] = []
    for item in range(len(products.price)):
        described = {numbers.setdefault(one, len(numbers)) for one in _of(products, item)}
        found += sorted(described)
        start.append(len(found))
    fields = [FIELDS.index(field) for field, _ in numbers]
    return Features(
        np.array(start, np.int64), np.array(found, np.int32), np.array(fields, np.uint8)
    )


def _of(products: Snapshot, item: int) -> Iterator[_Feature]:
    for word in WORD.findall(_title(products.card(item)).casefold()):
        yield ("size" if any(map(str.isdigit, word)) else "word"), word
    first, last = products.category_start[item], products.category_start[item + 1]
    for number in products.categories[first:last].tolist():
        names = products.vocabulary["categories"][number].split(SEPARATOR)
        for depth in range(1, len(names) + 1):
            yield "category", SEPARATOR.join(names[:depth])
    brand = int(products.brand[item])
    if brand >= 0:
        yield "brand", brand
    price = int(products.price[item])
    if price > 0:  # two overlapping steps: near prices share one, equal ones both
        step = floor(log(price) / PRICE_STEP)
        yield "price", step
        yield "price", step + 1


def _title(card: bytes) -> str:
    return str(orjson.loads(card).get("title", "")) if card else ""
