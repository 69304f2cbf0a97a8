"""What the catalogue of a release says of its products, as the engine compares them."""

import re
from collections.abc import Iterator
from itertools import chain
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
    for of_product in _of_products(products):
        described = {numbers.setdefault(one, len(numbers)) for one in of_product}
        found += sorted(described)
        start.append(len(found))
    fields = [FIELDS.index(field) for field, _ in numbers]
    return Features(
        np.array(start, np.int64), np.array(found, np.int32), np.array(fields, np.uint8)
    )


def _of_products(products: Snapshot) -> Iterator[Iterator[_Feature]]:
    upward = [list(_upward(path)) for path in products.vocabulary["categories"]]
    start, places = products.category_start.tolist(), products.categories.tolist()
    rows = zip(products.brand.tolist(), products.price.tolist(), strict=True)
    for item, (brand, price) in enumerate(rows):
        yield chain(
            _words(_title(products.card(item))),
            *(upward[place] for place in places[start[item] : start[item + 1]]),
            [("brand", brand)] if brand >= 0 else [],
            _price(price),
        )


def _words(title: str) -> Iterator[_Feature]:
    for word in WORD.findall(title.casefold()):
        yield ("size" if any(map(str.isdigit, word)) else "word"), word


def _upward(path: str) -> Iterator[_Feature]:
    names = path.split(SEPARATOR)
    for depth in range(1, len(names) + 1):
        yield "category", SEPARATOR.join(names[:depth])


def _price(price: int) -> Iterator[_Feature]:
    """Two overlapping steps: near prices share one, equal ones both."""
    if price > 0:
        step = floor(log(price) / PRICE_STEP)
        yield "price", step
        yield "price", step + 1


def _title(card: bytes) -> str:
    return str(orjson.loads(card).get("title", "")) if card else ""
