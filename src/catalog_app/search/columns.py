"""Arrays that grow: one value a row, or many."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_FIRST_CAPACITY = 1024
_DEAD_BEFORE_COMPACTION = 10_000
GONE = -1


class Column:
    """One value a row, shape (rows,); unset rows hold `empty`."""

    def __init__(self, dtype: DTypeLike, *, empty: int) -> None:
        self._empty = empty
        self._held: NDArray[Any] = np.full(_FIRST_CAPACITY, empty, dtype)
        self._rows = 0

    @property
    def values(self) -> NDArray[Any]:
        return self._held[: self._rows]

    def grow(self, rows: int) -> None:
        """Make room for this many rows."""
        if rows > len(self._held):
            larger = np.full(max(rows, 2 * len(self._held)), self._empty, self._held.dtype)
            larger[: self._rows] = self._held[: self._rows]
            self._held = larger
        self._rows = max(rows, self._rows)

    def truncate(self, rows: int) -> None:
        """Forget all rows after the first `rows`."""
        self._held[rows : self._rows] = self._empty
        self._rows = rows


class Entries:
    """Any number of codes a row, each with a weight: flat arrays of one shape, (entries,).

    The code of an entry that was replaced is GONE.
    """

    def __init__(self) -> None:
        self._row = Column(np.int32, empty=0)
        self._code = Column(np.int32, empty=GONE)
        self._weight = Column(np.uint8, empty=0)
        self._first = Column(np.int64, empty=0)
        self._length = Column(np.int64, empty=0)
        self._dead = 0

    @property
    def row(self) -> NDArray[np.int32]:
        return self._row.values

    @property
    def code(self) -> NDArray[np.int32]:
        return self._code.values

    @property
    def weight(self) -> NDArray[np.uint8]:
        return self._weight.values

    def replace(
        self, *, rows: NDArray[np.int64], lengths: Sequence[int], codes: Any, weights: Any
    ) -> None:
        """Give these rows, each named once, new codes instead of those that they have.

        `lengths`: how many of `codes` and `weights`, one after the other, belong to each row.
        """
        if not len(rows):
            return
        self._first.grow(int(rows.max()) + 1)
        self._length.grow(int(rows.max()) + 1)
        self._remove(rows)
        before, added = len(self.row), len(codes)
        for column, values in (
            (self._row, np.repeat(rows, lengths)), (self._code, codes), (self._weight, weights),
        ):  # fmt: skip
            column.grow(before + added)
            column.values[before:] = values
        self._length.values[rows] = lengths
        self._first.values[rows] = before + np.cumsum(lengths) - lengths
        if self._dead > max(_DEAD_BEFORE_COMPACTION, len(self.row) // 2):
            self._compact()

    def _remove(self, rows: NDArray[np.int64]) -> None:
        for row in rows[self._length.values[rows] > 0]:
            first, length = int(self._first.values[row]), int(self._length.values[row])
            self.code[first : first + length] = GONE
            self._dead += length

    def _compact(self) -> None:
        kept = self.code != GONE
        rows = self.row[kept]
        for column in (self._row, self._code, self._weight):
            remaining = column.values[kept]
            column.truncate(len(remaining))
            column.values[:] = remaining
        present, first = np.unique(rows, return_index=True)
        self._first.values[present] = first
        self._dead = 0
