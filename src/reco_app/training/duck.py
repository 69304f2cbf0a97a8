"""DuckDB: counts events on one machine, beyond its memory on disk."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from reco_app.training.counting import Tables

MEMORY_LIMIT = "1GB"


def run(text: str, tables: Tables, *, parquet: Sequence[Path] = ()) -> list[pa.Table]:
    """What each SELECT of the text gives, beside these tables and `events`, the files' rows."""
    with (
        TemporaryDirectory() as spilled,
        duckdb.connect(
            config={"memory_limit": MEMORY_LIMIT, "temp_directory": spilled}
        ) as connection,
    ):
        connection.execute("SET enable_progress_bar = false")  # it would be drawn to stdout
        if parquet:
            connection.read_parquet([str(path) for path in parquet]).create_view("events")
        for name, table in tables.items():
            connection.register(name, table)
        read = []
        for statement in connection.extract_statements(text):
            if statement.type == duckdb.StatementType.SELECT:
                read.append(connection.sql(statement.query).to_arrow_table())
            else:
                connection.execute(statement)
        return read
