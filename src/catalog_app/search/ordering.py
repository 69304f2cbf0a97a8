"""The order of a list, and the place in it where a page begins.

Every order is total: equal products follow one another by id. A place is the value and the id of
the last product seen, so a page is found again in any process, whatever has changed meanwhile.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog_app.search.index import Index

Key = int | str
Rows = NDArray[np.int64]


class Place(NamedTuple):
    """The last product of a page: the value it is sorted by, and its id."""

    key: Key
    id: str


class _Order(NamedTuple):
    rows: Rows  # all rows, in their order
    rank: Rows  # the place of each row in it


class Orders:
    """The whole catalogue in each order asked for, kept until the index changes."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._kept: dict[str, _Order] = {}
        self._generation = -1

    def ranks(self, sort: str, rows: Rows, scores: Rows) -> Rows:
        """Numbers that put these rows in order, the shape of `rows`; lower comes first."""
        if sort == "relevance":
            return (-scores << 32) + self._order("id").rank[rows]
        if sort.startswith("-"):
            return len(self._index.ids) - 1 - self._order(sort[1:]).rank[rows]
        return self._order(sort).rank[rows]

    def after(self, sort: str, place: Place) -> int:
        """The lowest rank behind a place."""
        if sort == "relevance":
            behind = bisect_right(self._order("id").rows, place.id, key=self._index.ids.__getitem__)
            return (-int(place.key) << 32) + behind
        base = sort.removeprefix("-")
        key, ids = self._key_of(base), self._index.ids

        def position(row: int) -> tuple[Key, str]:
            return key(row), ids[row]

        rows = self._order(base).rows
        if sort.startswith("-"):
            return len(rows) - bisect_left(rows, tuple(place), key=position)
        return bisect_right(rows, tuple(place), key=position)

    def place(self, sort: str, row: int, score: int) -> Place:
        """Where a row stands."""
        key = score if sort == "relevance" else self._key_of(sort.removeprefix("-"))(row)
        return Place(key, self._index.ids[row])

    def _key_of(self, base: str) -> Callable[[int], Key]:
        index = self._index
        if base == "price":
            return lambda row: int(index.price.values[row])
        if base == "newest":
            return lambda row: -int(index.published.values[row])
        return index.titles.__getitem__

    def _order(self, base: str) -> _Order:
        if self._generation != self._index.generation:
            self._kept.clear()
            self._generation = self._index.generation
        order = self._kept.get(base)
        if order is None:
            order = self._kept[base] = self._sorted(base)
        return order

    def _sorted(self, base: str) -> _Order:
        index = self._index
        if base == "id":
            rows = np.array(sorted(range(len(index.ids)), key=index.ids.__getitem__), np.int64)
        elif base == "title":
            by_id = self._order("id").rows.tolist()
            rows = np.array(sorted(by_id, key=index.titles.__getitem__), np.int64)
        else:
            values = index.price.values if base == "price" else -index.published.values
            rows = np.lexsort((self._order("id").rank, values))
        rank = np.empty(len(rows), np.int64)
        rank[rows] = np.arange(len(rows))
        return _Order(rows, rank)
