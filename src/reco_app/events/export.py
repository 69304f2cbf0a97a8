"""Stored events as Parquet, one file a day, for training.

A file's name tells what it was made from: the day, how many events it had and the newest one's
number. A day whose events changed, by late arrivals or by forgotten sessions, has another name,
and is written anew; a day that expired loses its file.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO, NamedTuple

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet
from django.db import connection

DAYS = """
    SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day, count(*), max(id)
    FROM events_event GROUP BY day ORDER BY day
"""
COPY_DAY = """
    COPY (
        SELECT session_hash, item_id, event_type, quantity,
               (extract(epoch FROM occurred_at) * 1000000)::bigint
        FROM events_event WHERE occurred_at >= '{start}' AND occurred_at < '{end}'
    ) TO STDOUT (FORMAT csv)
"""
SCHEMA = pa.schema(
    {
        "session_hash": pa.int64(),
        "item_id": pa.string(),
        "event_type": pa.string(),
        "quantity": pa.int32(),
        "occurred_at_us": pa.int64(),
    }
)
Report = Callable[[int, int], None]


class Day(NamedTuple):
    """One day's events at the moment they were counted."""

    day: date
    events: int
    newest_id: int

    @property
    def file_name(self) -> str:
        return f"{self.day}.{self.events}-{self.newest_id}.parquet"


def update(folder: Path, *, report: Report) -> list[Path]:
    """Bring the folder up to date with PostgreSQL; returns the files, oldest day first.

    `report` is told after each day how many of the days are done, and how many there are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    days = _days()
    wanted = {day.file_name for day in days}
    for stale in folder.iterdir():
        if stale.name not in wanted:
            stale.unlink()
    for done, day in enumerate(days, start=1):
        if not (folder / day.file_name).exists():
            _write(folder, day)
        report(done, len(days))
    return [folder / day.file_name for day in days]


def _days() -> list[Day]:
    with connection.cursor() as cursor:
        cursor.execute(DAYS)
        return [Day(*row) for row in cursor.fetchall()]


def _write(folder: Path, day: Day) -> None:
    """Write one day's file aside, then give it its name: a file that has a name is whole."""
    start = datetime.combine(day.day, time.min, UTC)
    query = COPY_DAY.format(start=start, end=start + timedelta(days=1))
    with TemporaryFile() as rows, NamedTemporaryFile(dir=folder, delete=False) as aside:
        with connection.cursor() as cursor:
            cursor.copy_expert(query, rows)
        rows.seek(0)
        _convert(rows, aside)
    Path(aside.name).replace(folder / day.file_name)


def _convert(rows: IO[bytes], into: IO[bytes]) -> None:
    with parquet.ParquetWriter(into, SCHEMA) as writer:
        if rows.read(1) == b"":  # all of the day was forgotten since it was counted
            return
        rows.seek(0)
        reader = arrow_csv.open_csv(
            rows,
            read_options=arrow_csv.ReadOptions(column_names=SCHEMA.names),
            convert_options=arrow_csv.ConvertOptions(
                column_types=SCHEMA, strings_can_be_null=False
            ),
        )
        for batch in reader:
            writer.write_batch(batch)
