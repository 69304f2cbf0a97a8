"""The columns of the index, and how documents become rows of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog_app import money
from catalog_app.search.columns import GONE, Column, Entries
from catalog_app.search.vocabulary import Vocabulary, WordList
from catalog_app.search.weights import word_weights
from catalog_app.search.words import fold

AVAILABILITY = ("in_stock", "out_of_stock", "preorder")
SEPARATOR = " > "

_AVAILABILITY_CODES = {name: code for code, name in enumerate(AVAILABILITY)}
_BAND_STARTS = np.array(money.BAND_STARTS)
_LONGEST_TITLE_KEY = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Documents = Sequence[Mapping[str, Any]]


class Index:
    """One row a product. Not safe for threads: whoever owns it lets one in at a time.

    Columns, each of shape (rows,): `live` bool, `price` int64 in money units (the sale price
    where there is one), `band` int8, a place in money.BAND_STARTS, `published` int64 in
    milliseconds, `brand` and `group` int32 codes (GONE: none), `availability` int8, a place in
    AVAILABILITY, `title_words` int16.
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.titles: list[str] = []
        self.rows: dict[str, int] = {}
        self.live = Column(np.bool_, empty=False)
        self.price = Column(np.int64, empty=0)
        self.band = Column(np.int8, empty=0)
        self.published = Column(np.int64, empty=0)
        self.brand = Column(np.int32, empty=GONE)
        self.group = Column(np.int32, empty=GONE)
        self.availability = Column(np.int8, empty=0)
        self.title_words = Column(np.int16, empty=0)
        self.words = Entries()
        self.categories = Entries()
        self.word_list = WordList()
        self.category_list = Vocabulary()
        self.brand_list = Vocabulary()
        self._group_list = Vocabulary()
        self.generation = 0
        """Grows with every change; what was computed at another generation is out of date."""

    def put(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Take in the newest states of products, tombstones among them."""
        newest = {document["_id"]: document for document in documents}
        rows = np.array([self._row(product_id) for product_id in newest], np.int64)
        for column in (
            self.live, self.price, self.band, self.published, self.brand, self.group,
            self.availability, self.title_words,
        ):  # fmt: skip
            column.grow(len(self.ids))
        offered = np.array([not document["deleted"] for document in newest.values()], np.bool_)
        self.live.values[rows] = offered
        self._empty(rows[~offered])
        self._fill(rows[offered], [entry for entry in newest.values() if not entry["deleted"]])
        self.generation += 1

    def _row(self, product_id: str) -> int:
        row = self.rows.get(product_id)
        if row is None:
            row = self.rows[product_id] = len(self.ids)
            self.ids.append(product_id)
            self.titles.append("")
        return row

    def _empty(self, rows: NDArray[np.int64]) -> None:
        for entries in (self.words, self.categories):
            entries.replace(rows=rows, lengths=[0] * len(rows), codes=(), weights=())

    def _fill(self, rows: NDArray[np.int64], documents: Documents) -> None:
        prices = [money.units(each["sale_price"] or each["price"]) for each in documents]
        self.price.values[rows] = prices
        self.band.values[rows] = np.searchsorted(_BAND_STARTS, prices, side="right") - 1
        self.published.values[rows] = [milliseconds(each["published_at"]) for each in documents]
        self.brand.values[rows] = _codes(self.brand_list, documents, "brand")
        self.group.values[rows] = _codes(self._group_list, documents, "item_group_id")
        self.availability.values[rows] = [
            _AVAILABILITY_CODES[each["availability"]] for each in documents
        ]
        for row, each in zip(rows.tolist(), documents, strict=True):
            self.titles[row] = fold(each["title"])[:_LONGEST_TITLE_KEY]
        self.title_words.values[rows] = [min(each["title"].count(" "), 31) for each in documents]
        paths = [lineages(tuple(each["categories"])) for each in documents]
        self._enter(self.categories, self.category_list, rows, [dict.fromkeys(p, 1) for p in paths])
        self._enter(self.words, self.word_list, rows, [word_weights(each) for each in documents])

    @staticmethod
    def _enter(
        entries: Entries,
        vocabulary: Vocabulary,
        rows: NDArray[np.int64],
        weighed: Sequence[Mapping[str, int]],
    ) -> None:
        entries.replace(
            rows=rows,
            lengths=[len(each) for each in weighed],
            codes=[vocabulary[text] for each in weighed for text in each],
            weights=[weight for each in weighed for weight in each.values()],
        )


@lru_cache(maxsize=65_536)
def lineages(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Category paths and all above them, each once: Home, Home > Kitchen."""
    found: dict[str, None] = {}
    for path in paths:
        parts = [part.strip() for part in path.split(">")]
        found |= dict.fromkeys(SEPARATOR.join(parts[: depth + 1]) for depth in range(len(parts)))
    return tuple(found)


def milliseconds(moment: datetime) -> int:
    """Since 1970; `moment` is UTC, as the store's driver reads times."""
    return round((moment.replace(tzinfo=UTC) - _EPOCH).total_seconds() * 1000)


def _codes(vocabulary: Vocabulary, documents: Documents, field: str) -> list[int]:
    return [vocabulary[each[field]] if each[field] else GONE for each in documents]
