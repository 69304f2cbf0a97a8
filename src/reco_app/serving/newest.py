"""The newest sessions in this process' memory, packed so that all of them are read at once."""

from collections.abc import Callable, Iterable
from datetime import datetime
from threading import Lock

import numpy as np

from reco_app.engine.delta import Recent
from reco_app.events import days, recent
from reco_app.events.recent import Row, State

MOST = 20_000  # sessions, and events without one: 10 MB
PACKED = np.dtype(
    [("code", "i4"), ("kind", "u1"), ("position", "i4"), ("at", "f8"), ("number", "i8")]
)
COLUMNS = ("kind", "position", "at", "number")
Held = tuple[int, bytes]
"""How many events a session has, and its rows, packed."""


class Newest:
    """Sessions by name, the last that changed at the end; `changes` grows with each change.

    One thread writes, others may read.
    """

    def __init__(self) -> None:
        self.changes = 0
        self.position = 0
        """Number of the newest event that was heard of."""
        self._held: dict[int, Held] = {}
        self._gone: dict[int, int] = {}
        self._codes: dict[str, int] = {}
        self._places: list[int] = []
        self._release: object = None
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._held)

    def put(self, states: Iterable[State]) -> None:
        """Take over these states, where they tell more than is known."""
        for state in states:
            known = self._held.get(state.name)
            if known is not None and known[0] >= state.events:
                continue
            gone = self._gone.get(state.name, 0)
            rows = [row for row in state.rows if row.number > gone]
            if rows:
                with self._lock:
                    self._held.pop(state.name, None)
                    self._held[state.name] = state.events, self._packed(rows)
                self.position = max(self.position, *(row.number for row in rows))
                self.changes += 1

    def drop(self, names: Iterable[int], *, number: int) -> None:
        """Nothing of these counts that was stored up to this number, whenever it is heard of."""
        for name in names:
            self._gone[name] = max(number, self._gone.pop(name, 0))
            if len(self._gone) > MOST:
                del self._gone[next(iter(self._gone))]
            with self._lock:
                held = self._held.pop(name, None)
            self.changes += held is not None

    def thin_out(self, *, now: datetime) -> None:
        """Leave out what is too old, and the oldest of what is too much."""
        begin, _ = days.span(recent.oldest_day(now))
        old: list[int] = []
        for name, (_, rows) in self._held.items():
            if (
                len(self._held) - len(old) <= MOST
                and np.frombuffer(rows, PACKED)["at"].max() >= begin.timestamp()
            ):
                break
            old.append(name)
        with self._lock:
            for name in old:
                del self._held[name]

    def columns(self, release: object, place_of: Callable[[str], int]) -> Recent:
        """All rows; `place_of` tells the place of an item in this release, or -1."""
        with self._lock:
            rows = [packed for _, packed in self._held.values()]
            names = list(self._codes)
        if release is not self._release:
            self._release, self._places = release, []
        self._places += [place_of(name) for name in names[len(self._places) :]]
        lengths = np.array([len(packed) for packed in rows], np.int64) // PACKED.itemsize
        table = np.frombuffer(b"".join(rows), PACKED)
        return Recent(
            np.repeat(np.arange(len(rows), dtype=np.int32), lengths),
            np.array(self._places, np.int32)[table["code"]],
            *(table[name].copy() for name in COLUMNS),
        )

    def _packed(self, rows: Iterable[Row]) -> bytes:
        codes = self._codes
        return np.array(
            [(codes.setdefault(row.item_id, len(codes)), *_numbers(row)) for row in rows],
            PACKED,
        ).tobytes()


def _numbers(row: Row) -> tuple[int, int, float, int]:
    return row.kind, row.position, row.at, row.number
