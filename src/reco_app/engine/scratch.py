"""Working memory for one release, which threads take turns with."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

# At most 16 MB, of which only what is written to takes memory. With 1 << 16 the reasons of 20,000
# different questions were counted anew: ranking took a tenth longer, of clicks and of groceries.
REMEMBERED_PAIRS = 1 << 20

Memory = TypeVar("Memory")


class Scratch(NamedTuple):
    """Working arrays of one ranking: cleared again by whoever wrote them."""

    cells: NDArray[np.float32]  # one an item, 0
    touched: NDArray[np.int32]  # one an item, anything
    met: NDArray[np.uint8]  # one an item, 0
    taken: NDArray[np.uint8]  # one an item, 0
    places: NDArray[np.int32]  # one an item, -1
    similarity: NDArray[np.float32]  # one a session, 0
    matches: NDArray[np.uint64]  # one a session, 0


class Counting(NamedTuple):
    """Working array of counting evidence, and what was counted before."""

    marks: NDArray[np.uint8]  # one a session, 0
    pairs: NDArray[np.uint64]  # one a remembered pair: its key, 0 for none
    counts: NDArray[np.int32]  # remembered pairs x 2: sessions that bought both, that met both


def for_ranking(items: int, sessions: int) -> Scratch:
    """For an index of so many items and sessions."""
    return Scratch(
        np.zeros(items, np.float32),
        np.empty(items, np.int32),
        np.zeros(items, np.uint8),
        np.zeros(items, np.uint8),
        np.full(items, -1, np.int32),
        np.zeros(sessions, np.float32),
        np.zeros(sessions, np.uint64),
    )


def for_counting(sessions: int) -> Counting:
    """For an index of so many sessions."""
    return Counting(
        np.zeros(sessions, np.uint8),
        np.zeros(REMEMBERED_PAIRS, np.uint64),
        np.zeros((REMEMBERED_PAIRS, 2), np.int32),
    )


class Pool(Generic[Memory]):
    """As many as work at the same time. After an error one is not given back: it may be soiled."""

    def __init__(self, make: Callable[[], Memory]) -> None:
        self._make = make
        self._idle: list[Memory] = []

    def take(self) -> Memory:
        try:
            return self._idle.pop()
        except IndexError:  # asking first would let two threads find the same last one
            return self._make()

    def give_back(self, memory: Memory) -> None:
        self._idle.append(memory)
