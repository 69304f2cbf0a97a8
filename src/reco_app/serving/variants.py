"""Which products are variants of one another."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Variants(NamedTuple):
    """The members of each group of one shelf, side by side."""

    positions: NDArray[np.int64]
    start: NDArray[np.int64]
    """Group g is at positions[start[g] : start[g + 1]]."""

    def members(self, groups: NDArray[np.int32]) -> NDArray[np.int64]:
        """The positions of all variants in these groups; -1, no group, has none."""
        distinct = set(groups.tolist()) - {-1}
        start, positions = self.start, self.positions
        parts = [positions[start[group] : start[group + 1]] for group in distinct]
        return np.concatenate(parts) if parts else positions[:0]


def of(group: NDArray[np.int32]) -> Variants:
    """From the group of each position, -1 where it has none."""
    grouped = np.flatnonzero(group >= 0)
    numbers = group[grouped]
    sizes = np.bincount(numbers)
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])
    return Variants(grouped[np.argsort(numbers, kind="stable")], start)
