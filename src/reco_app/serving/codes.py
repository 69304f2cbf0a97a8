"""Numbers for names: dense, so that a column of them is quick to look up."""

from array import array
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

PATH_SEPARATOR = " > "


class Codes:
    """Numbers for names, given out in order and never taken back."""

    def __init__(self, names: Iterable[Any] = ()) -> None:
        """`names` must differ."""
        self.names: list[Any] = list(names)
        self.numbers: dict[Any, int] = dict(zip(self.names, range(len(self.names)), strict=True))

    def number(self, name: Any) -> int:
        """The number of `name`, a new one if it is seen for the first time."""
        if name not in self.numbers:
            self.numbers[name] = len(self.names)
            self.names.append(name)
        return self.numbers[name]

    def find(self, name: Any) -> int:
        """The number of `name`, or -1."""
        return self.numbers.get(name, -1)

    def find_all(self, names: Sequence[Any]) -> NDArray[np.int64]:
        """`find` for many, many times faster."""
        return np.fromiter(map(self.numbers.get, names, repeat(-1)), np.int64, len(names))

    def flags(self, numbers: NDArray[Any]) -> NDArray[np.bool_]:
        """True at each of these numbers; looks up a column, in which -1 stands for no name."""
        flags = np.zeros(len(self.names) + 1, np.bool_)
        flags[numbers] = True
        flags[-1] = False
        return flags


class CategorySets(Codes):
    """Numbers for sets of category paths, to be found by any path in or above them."""

    def __init__(self) -> None:
        super().__init__()
        self._within: dict[str, array[int]] = {}

    def number(self, name: tuple[str, ...]) -> int:
        first_new = len(self.names)
        number = super().number(name)
        if number == first_new:
            for path in {above for own in name for above in upward(own)}:
                self._within.setdefault(path, array("i")).append(number)
        return number

    def knows(self, path: str) -> bool:
        """Whether any set ever had this path or one below it."""
        return path in self._within

    def paths(self) -> list[str]:
        """All paths that were ever seen, and those above them."""
        return list(self._within)

    def within(self, paths: Iterable[str]) -> NDArray[np.bool_]:
        """`flags` of the sets with any of these paths or one below it.

        The time grows with the sets found, not with those that there are.
        """
        # Copies: another thread may append, which an array that is looked into would refuse.
        found = b"".join(self._within[path].tobytes() for path in paths if path in self._within)
        return self.flags(np.frombuffer(found, np.intc))


def upward(path: str) -> list[str]:
    """The categories above a path, the widest first, and the path itself."""
    parts = path.split(PATH_SEPARATOR)
    return [PATH_SEPARATOR.join(parts[: depth + 1]) for depth in range(len(parts))]
