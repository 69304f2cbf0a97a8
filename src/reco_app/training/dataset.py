"""The exported events as training reads them."""

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reco_app.engine.index import EVENT_TYPES, Log
from reco_app.engine.sessions import Counted
from reco_app.training import counting, duck
from reco_app.training.counting import Count, Items, Part, Run

ITEM_IDS = "SELECT DISTINCT item_id FROM events"
ENOUGH_HELD = 400  # sessions: fewer leave nothing to tune on
MOST_HELD = 20_000  # sessions: more than are ever judged by or tuned on
NONE = pa.table(
    {
        "session_hash": pa.array([], pa.int64()),
        "item_id": pa.array([], pa.string()),
        "event_type": pa.array([], pa.string()),
        "occurred_at_us": pa.array([], pa.int64()),
    }
)


class Held(NamedTuple):
    """A log parted in time: what came before a border, and the sessions that began after it."""

    older: Counted
    newer: Log
    border: float
    """Seconds since 1970."""


@contextmanager
def opened(parquet: Sequence[Path], *, spark_master: str) -> Iterator[Run]:
    """These files on DuckDB, or on the Spark that `spark_master` names."""
    if not parquet:
        yield lambda text, tables: duck.run(text, {**tables, "events": NONE})
    elif spark_master:
        spark = importlib.import_module("reco_app.training.spark")  # needs an extra
        with spark.opened(spark_master, parquet=parquet) as run:
            yield run
    else:
        yield partial(duck.run, parquet=parquet)


def item_ids(run: Run) -> list[str]:
    """Every item that has an event, in no order."""
    [found] = run(ITEM_IDS, {})
    return found["item_id"].to_pylist()  # type: ignore[no-any-return]


def whole(run: Run, items: Items) -> Count:
    """All events, with items by their place in `items`."""
    return counting.count(run, items, Part())


def held_out(
    run: Run, items: Items, began_us: NDArray[np.int64], *, part: float, seen_until: float = 0.0
) -> Held:
    """Parted so that `part` of the sessions are the newer ones; of many, evenly fewer.

    None began before `seen_until` (seconds since 1970), if those that began since are enough.
    """
    border = int(np.quantile(began_us, 1 - part)) if len(began_us) else counting.NEVER
    seen_us = int(seen_until * counting.SECOND)
    if np.count_nonzero(began_us >= seen_us) >= ENOUGH_HELD:
        border = max(border, seen_us)
    step = 1 + int(np.count_nonzero(began_us >= border)) // MOST_HELD
    found = counting.count(run, items, Part(before_us=border, since_us=border, step=step))
    return Held(found.counted, found.given, border / counting.SECOND)


def in_memory(log: Log) -> Run:
    """Columns in memory, with items named by their place; times to the microsecond."""
    kind = pa.DictionaryArray.from_arrays(log.event_type.astype(np.int8), list(EVENT_TYPES))
    events = pa.table(
        {
            "session_hash": pa.array(log.session, mask=log.session < 0),
            "item_id": log.item,
            "event_type": kind,
            "occurred_at_us": np.round(log.at * counting.SECOND).astype(np.int64),
        }
    )
    return lambda text, tables: duck.run(text, {**tables, "events": events})


def counted(log: Log, item_count: int) -> Counted:
    """What these columns come to."""
    return whole(in_memory(log), np.arange(item_count, dtype=np.int32)).counted
