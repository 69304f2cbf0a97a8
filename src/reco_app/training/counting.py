"""Events counted into what the index asks of them: one SQL text, whichever engine runs it."""

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reco_app.engine.index import EVENT_TYPES, Log
from reco_app.engine.sessions import Alone, ByItem, BySession, Counted

TEXT = (files(__package__) / "counting.sql").read_text()
Number = TypeVar("Number", bound=np.integer)
NEVER = 2**62
SECOND = 1_000_000.0

Items = Sequence[str] | NDArray[np.int32]
"""What events call the items, by place."""
Tables = Mapping[str, pa.Table]
Run = Callable[[str, Tables], list[pa.Table]]
"""Runs a text beside the events and these tables; returns what each of its SELECTs gives."""


class Part(NamedTuple):
    """What is asked of a log: times in microseconds since 1970."""

    before_us: int = NEVER
    """Events before this are counted."""
    since_us: int = NEVER
    """Sessions that began at this or later are given as they are."""
    step: int = 1
    """One in so many of them."""


class Count(NamedTuple):
    """One run of the text."""

    counted: Counted
    began_us: NDArray[np.int64]
    """Of each session, from the one that ended first to the one that ended last."""
    given: Log
    """Events of the sessions asked for."""
    events: int
    span: tuple[float, float] | None
    """The first and the last event, seconds since 1970."""


def count(run: Run, items: Items, part: Part) -> Count:
    """Count a log; items are numbered by their place in `items`, and others left out."""
    tables = {
        "items": pa.table({"item_id": items, "item": _places(len(items))}),
        "event_types": pa.table(
            {
                "event_type": EVENT_TYPES,
                "kind": _places(len(EVENT_TYPES)),
                "bit": np.left_shift(1, _places(len(EVENT_TYPES))),
            }
        ),
        "bounds": pa.table({name: [value] for name, value in part._asdict().items()}),
    }
    totals, sessions, by_session, by_item, sizes, firsts, alone, given = run(TEXT, tables)
    [total] = totals.to_pylist()
    return Count(
        Counted(
            _by_session(sessions, by_session),
            _by_item(sizes, by_item, len(items)),
            Alone(
                _column(alone, "item", np.int32),
                _column(alone, "kind", np.uint8),
                _seconds(alone, "at_us"),
            ),
            _first_at(firsts, len(items)),
        ),
        began_us=_column(sessions, "began_us", np.int64),
        given=_log(given),
        events=total["events"],
        span=(total["first_us"] / SECOND, total["last_us"] / SECOND) if total["events"] else None,
    )


def _by_session(sessions: pa.Table, pairs: pa.Table) -> BySession:
    return BySession(
        _starts(_column(sessions, "pairs", np.int64)),
        _column(pairs, "item", np.int32),
        _column(pairs, "position", np.int32),
        _column(pairs, "kinds", np.uint8),
        _seconds(sessions, "ended_us"),
    )


def _by_item(sizes: pa.Table, pairs: pa.Table, item_count: int) -> ByItem:
    lengths = np.zeros(item_count, np.int64)
    lengths[_column(sizes, "item", np.int64)] = _column(sizes, "sessions", np.int64)
    sessions, kinds = _column(pairs, "session", np.int32), _column(pairs, "kinds", np.uint8)
    return ByItem(_starts(lengths), sessions, kinds)


def _first_at(firsts: pa.Table, item_count: int) -> NDArray[np.float64]:
    first_at = np.zeros(item_count)
    first_at[_column(firsts, "item", np.int64)] = _seconds(firsts, "first_us")
    return first_at


def _log(given: pa.Table) -> Log:
    _, session = np.unique(_column(given, "session_hash", np.int64), return_inverse=True)
    return Log(
        session.astype(np.int64),
        _column(given, "item", np.int32),
        _column(given, "kind", np.uint8),
        _seconds(given, "at_us"),
    )


def _column(table: pa.Table, name: str, kind: type[Number]) -> NDArray[Number]:
    return table[name].to_numpy().astype(kind)  # type: ignore[no-any-return]


def _seconds(table: pa.Table, name: str) -> NDArray[np.float64]:
    return _column(table, name, np.int64) / SECOND


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _places(count: int) -> NDArray[np.int32]:
    return np.arange(count, dtype=np.int32)
