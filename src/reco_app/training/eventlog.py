"""Event logs from files: CSV, gzipped CSV, JSON Lines or Parquet, as columns."""

import csv
import gzip
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from reco_app.engine.index import EVENT_TYPES

REQUIRED = ("session_id", "item_id", "timestamp")
KINDS = (".csv", ".jsonl", ".ndjson", ".parquet")
CHECKS = {
    "session_id": "coalesce(session_id, '') <> ''",
    "item_id": "regexp_full_match(coalesce(item_id, ''), '[A-Za-z0-9._~-]{1,64}')",
    "timestamp": "seconds IS NOT NULL",
    "event_type": f"event_type IN {EVENT_TYPES}",
    "quantity": "coalesce(quantity, 0) > 0",
}
WANTED = {
    "session_id": "a value",
    "item_id": "1 to 64 of A-Z a-z 0-9 . _ ~ -",
    "timestamp": "a time such as 2026-01-31T12:00:00Z",
    "event_type": f"one of {', '.join(EVENT_TYPES)}",
    "quantity": "a number above 0",
}


class EventLogUnreadable(Exception):
    """A file is not an event log; the message names the file, and line and column if known."""


class EventLog(NamedTuple):
    """Events by session, time and line; n of them."""

    session: NDArray[np.int64]  # n, places in session_ids
    item: NDArray[np.int64]  # n, places in item_ids
    event_type: NDArray[np.uint8]  # n, places in EVENT_TYPES
    quantity: NDArray[np.float32]  # n
    at: NDArray[np.float64]  # n, seconds since 1970
    session_ids: list[str]
    item_ids: list[str]

    def only(self, kept: NDArray[np.bool_]) -> "EventLog":
        """The events for which `kept` is true."""
        return EventLog(
            self.session[kept],
            self.item[kept],
            self.event_type[kept],
            self.quantity[kept],
            self.at[kept],
            self.session_ids,
            self.item_ids,
        )


def read(path: Path) -> EventLog:
    """Read a whole log. Raises EventLogUnreadable, naming what is wrong and where."""
    if not path.is_file():
        raise EventLogUnreadable(f"{path}: no such file")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        _load(connection, path)
        _check(connection, path)
        table = connection.sql(
            "SELECT session_id, item_id, kind, quantity, seconds FROM events "
            "ORDER BY session_id, seconds, line"
        ).to_arrow_table()
    session = table["session_id"].combine_chunks().dictionary_encode()
    item = table["item_id"].combine_chunks().dictionary_encode()
    return EventLog(
        session=session.indices.to_numpy().astype(np.int64),
        item=item.indices.to_numpy().astype(np.int64),
        event_type=table["kind"].to_numpy().astype(np.uint8),
        quantity=table["quantity"].to_numpy().astype(np.float32),
        at=table["seconds"].to_numpy().astype(np.float64),
        session_ids=session.dictionary.to_pylist(),
        item_ids=item.dictionary.to_pylist(),
    )


def _load(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    kind = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if kind not in KINDS:
        raise EventLogUnreadable(f"{path}: want one of {', '.join(KINDS)}, also with .gz")
    try:
        source = _csv(connection, path) if kind == ".csv" else _typed(connection, path, kind)
        missing = [name for name in REQUIRED if name not in source.columns]
        if missing:
            raise EventLogUnreadable(f"{path}: line 1: no column {', '.join(missing)}")
        source.create_view("source")
        connection.execute(_table(set(source.columns), header=kind == ".csv"))
    except duckdb.Error as error:
        first_line = str(error).strip().splitlines()[0]
        raise EventLogUnreadable(f"{path}: {first_line}") from error


def _csv(connection: duckdb.DuckDBPyConnection, path: Path) -> duckdb.DuckDBPyRelation:
    """Columns as the first line names them: a broken line must not change what is a column."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError) as error:
        raise EventLogUnreadable(f"{path}: line 1: {error}") from error
    if len(set(names)) < max(len(names), 1) or "" in names:
        raise EventLogUnreadable(f"{path}: line 1: want a distinct name for each column")
    quoted = (name.replace("'", "''") for name in names)
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in quoted)
    return connection.sql(
        "SELECT * FROM read_csv($path, auto_detect = false, header = true, delim = ',', "
        f"quote = '\"', escape = '\"', columns = {{{columns}}})",
        params={"path": str(path)},
    )


def _typed(connection: duckdb.DuckDBPyConnection, path: Path, kind: str) -> duckdb.DuckDBPyRelation:
    function = "read_parquet($path)"
    if kind != ".parquet":
        function = "read_json($path, format = 'newline_delimited')"
    return connection.sql(f"SELECT * FROM {function}", params={"path": str(path)})


def _table(present: set[str], *, header: bool) -> str:
    """Typed columns; what cannot be typed becomes null, what is left out its usual value."""
    kind = "coalesce(event_type, 'view')" if "event_type" in present else "'view'"
    quantity = "1"
    if "quantity" in present:
        quantity = "CASE WHEN quantity IS NULL THEN 1 ELSE TRY_CAST(quantity AS DOUBLE) END"
    kinds = " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(EVENT_TYPES))
    return f"""
        CREATE TEMP TABLE events AS
        SELECT row_number() OVER () + {int(header)} AS line,
               session_id::VARCHAR AS session_id,
               item_id::VARCHAR AS item_id,
               epoch(TRY_CAST("timestamp" AS TIMESTAMPTZ)) AS seconds,
               {kind} AS event_type,
               CASE {kind} {kinds} END AS kind,
               {quantity} AS quantity
        FROM source
    """


def _check(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    for column, check in CHECKS.items():
        [(line, count)] = connection.execute(
            f"SELECT min(line), count(*) FROM events WHERE NOT ({check})"
        ).fetchall()
        if count:
            raise EventLogUnreadable(
                f"{path}: line {line}: {column}: want {WANTED[column]} ({count} such lines)"
            )
