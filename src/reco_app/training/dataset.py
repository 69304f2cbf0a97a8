"""The exported events as the engine's log, through one SQL text."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from reco_app.engine.index import EVENT_TYPES, Log

SESSIONS = (files(__package__) / "sessions.sql").read_text()
MEMORY_LIMIT = "1GB"  # beyond it DuckDB works on disk


def item_ids(parquet: Sequence[Path]) -> list[str]:
    """Every item that has an event."""
    with _opened(parquet) as connection:
        rows = connection.sql("SELECT DISTINCT item_id FROM events ORDER BY item_id").fetchall()
    return [item_id for (item_id,) in rows]


def log(parquet: Sequence[Path], items: Sequence[str]) -> Log:
    """All events of these files, with items by their place in `items`."""
    with _opened(parquet) as connection:
        connection.register("items", _numbered("item_id", items))
        connection.register("event_types", _numbered("event_type", EVENT_TYPES))
        columns = connection.sql(SESSIONS).fetchnumpy()
    return Log(
        session=np.asarray(columns["session"], np.int64),
        item=np.asarray(columns["item"], np.int32),
        event_type=np.asarray(columns["event_type"], np.uint8),
        at=np.asarray(columns["seconds"], np.float64),
    )


def _numbered(name: str, values: Sequence[str]) -> pa.Table:
    places = pa.array(range(len(values)), pa.int32())
    return pa.table({name: pa.array(values, pa.string()), "place": places})


@contextmanager
def _opened(parquet: Sequence[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database whose view `events` is these files; without files it is empty."""
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as connection:
        if parquet:
            connection.read_parquet([str(path) for path in parquet]).create_view("events")
        else:
            connection.execute(
                "CREATE TABLE events (session_hash BIGINT, item_id VARCHAR, event_type VARCHAR, "
                "quantity INTEGER, occurred_at_us BIGINT)"
            )
        yield connection
