"""Stored events as Parquet, one file a day, for training.

A file's name tells what it was made from: the day, how many events it had and the newest one's
number. A day whose events changed, by late arrivals or by forgotten sessions, has another name,
and is written anew. Of a day that has expired the last file is kept until that expires too.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet
from django.db import connection

from reco_app.events import days
from reco_app.events.days import Contents

FOLDER = "events"  # of the model store
COPY_DAY = """
    COPY (
        SELECT session_hash, item_id, event_type, quantity,
               (extract(epoch FROM occurred_at) * 1000000)::bigint
        FROM events_event
        WHERE occurred_at >= '{start}' AND occurred_at < '{end}' AND id <= {newest_id}
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


def update(folder: Path, *, until: int, report: Report) -> list[Path]:
    """Bring the folder up to date with PostgreSQL; returns the files, oldest day first.

    They hold the events up to number `until`, which is a cut (`days.cut`) and no older than those
    of earlier calls.
    `report` is told after each day how many of the days are done, and how many there are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with days.exporting():
        stored = _contents(until)
        for done, contents in enumerate(stored, start=1):
            write(folder, contents)
            report(done, len(stored))
        names = {contents.file_name for contents in stored} | set(days.closed().values())
        files = sorted(folder.iterdir())
        for stale in files:
            if stale.name not in names:
                stale.unlink()
    return [file for file in files if file.name in names]


def delete_expired(folder: Path) -> None:
    """Delete the files of days that are neither stored nor closed."""
    living = {str(day) for day in (*days.stored(), *days.closed())}
    for file in folder.glob("*.parquet"):
        if file.name.partition(".")[0] not in living:
            file.unlink()


def write(folder: Path, contents: Contents) -> None:
    """Write one day's file aside, then give it its name: a file that has a name is whole."""
    target = folder / contents.file_name
    if target.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    start, end = days.span(contents.day)
    with TemporaryFile() as rows, NamedTemporaryFile(dir=folder, delete=False) as aside:
        with connection.cursor() as cursor:
            query = COPY_DAY.format(start=start, end=end, newest_id=contents.newest_id)
            cursor.copy_expert(query, rows)
        rows.seek(0)
        _convert(rows, aside)
    Path(aside.name).replace(target)


def _contents(until: int) -> list[Contents]:
    counted = (days.count(day, until=until) for day in days.stored())
    return [contents for contents in counted if contents is not None]


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
