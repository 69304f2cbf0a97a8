"""What an evaluation asks: a context from a test log, and the item that must be found."""

import hashlib
from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine.model import Model
from reco_app.engine.rank import ContextItem
from reco_app.training.eventlog import EventLog

Protocol = Literal["next-item", "no-repeats", "hide-one"]
MOST_CASES = 10_000  # a standard error of .005; beyond it every second, third, ... session


class Case(NamedTuple):
    """A context, oldest first, and the place of the item to be found: -1 if not in training."""

    session: int
    context: list[ContextItem]
    target: int


def prefixes(model: Model, test: EventLog) -> list[list[ContextItem]]:
    """Every prefix of the test sessions."""
    return [case.context for case in asked(model, test, "next-item")]


def fewer(cases: list[Case]) -> list[Case]:
    """At most about MOST_CASES of them: whole sessions, evenly."""
    step = -(-len(cases) // MOST_CASES)
    kept = set(list(dict.fromkeys(case.session for case in cases))[:: max(step, 1)])
    return [case for case in cases if case.session in kept]


def asked(model: Model, test: EventLog, protocol: Protocol) -> Iterable[Case]:
    """All that the protocol asks of a test log."""
    place = np.array([model.items.get(item_id, -1) for item_id in test.item_ids], np.int64)
    borders = np.flatnonzero(np.diff(test.session, prepend=-1, append=-1))
    for first, last in zip(borders[:-1], borders[1:], strict=True):
        rows = range(first, last)
        session = int(test.session[first])
        if protocol == "hide-one":
            yield from _hidden(model, test, place, session, rows)
        else:
            yield from _prefixes(test, place, session, rows, protocol)


def _prefixes(
    test: EventLog, place: NDArray[np.int64], session: int, rows: range, protocol: Protocol
) -> Iterable[Case]:
    kept = list(rows)
    if protocol == "no-repeats":
        first = {int(test.item[row]): row for row in reversed(kept)}
        kept = sorted(first.values())
    for end in range(1, len(kept)):
        now = float(test.at[kept[end - 1]])
        context = [
            _entry(test, row, int(place[test.item[row]]), now)
            for row in kept[:end]
            if place[test.item[row]] >= 0
        ]
        yield Case(session, context, int(place[test.item[kept[end]]]))


def _entry(test: EventLog, row: int, item: int, now: float) -> ContextItem:
    """As a shop's page would tell it at that moment, with its true age."""
    event_type, quantity = int(test.event_type[row]), float(test.quantity[row])
    return ContextItem(item, event_type, quantity, now - float(test.at[row]))


def _hidden(
    model: Model, test: EventLog, place: NDArray[np.int64], session: int, rows: range
) -> Iterable[Case]:
    entries: dict[int, ContextItem] = {}
    now = float(test.at[rows[-1]])
    for row in rows:
        item = int(place[test.item[row]])
        if item >= 0:
            entries[item] = _entry(test, row, item, now)
    if len(entries) < 2:
        return
    name = test.session_ids[session]
    hidden = min(entries, key=lambda item: _digest(f"{name}:{model.item_ids[item]}"))
    yield Case(session, [entry for entry in entries.values() if entry.item != hidden], hidden)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
