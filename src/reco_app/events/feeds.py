"""Event logs as files: CSV, plain or gzipped, JSON Lines and Parquet, read row by row."""

import csv
import gzip
import io
import os
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, NamedTuple, TextIO
from zlib import error as ZlibError

import orjson
import pyarrow as pa
import pyarrow.parquet as parquet

REQUIRED = ("session_id", "item_id", "timestamp")
COLUMNS = (*REQUIRED, "event_type", "quantity", "price")
LONGEST_LINE = 65_536
PARQUET_ROWS = 20_000
MEDIA_TYPES = {
    "text/csv": "csv",
    "application/gzip": "csv.gz",
    "application/x-ndjson": "jsonl",
    "application/vnd.apache.parquet": "parquet",
}


class Unreadable(Exception):
    """The file as a whole is not an event log, or breaks off: whole batches before are stored."""


class Row(NamedTuple):
    """Values in the order of COLUMNS, or the reason why the line has none."""

    line: int
    values: tuple[Any, ...] | None
    fault: str = ""


def form_of_name(name: str) -> str | None:
    """The form of a file by its name; None if it is none of ours."""
    forms = {".csv": "csv", ".csv.gz": "csv.gz", ".jsonl": "jsonl", ".ndjson": "jsonl"}
    forms[".parquet"] = "parquet"
    return next((form for ending, form in forms.items() if name.lower().endswith(ending)), None)


def extent(file: IO[bytes], *, form: str) -> tuple[int, Callable[[int], int]]:
    """How far there is to go, and how far one is after so many rows, in the same unit.

    Raises Unreadable.
    """
    if form == "parquet":
        try:
            return parquet.read_metadata(file).num_rows, lambda rows_read: rows_read
        except pa.ArrowException as error:
            raise Unreadable(f"The file is no Parquet: {error}") from error
    return os.fstat(file.fileno()).st_size, lambda rows_read: file.tell()


def rows(file: IO[bytes], *, form: str) -> Iterator[Row]:
    """All rows of a seekable file. Raises Unreadable."""
    try:
        yield from _READERS[form](file)
    except (EOFError, OSError, ZlibError, pa.ArrowException) as error:
        raise Unreadable(f"The file cannot be read on: {error}.") from error


def _csv(file: IO[bytes] | gzip.GzipFile) -> Iterator[Row]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    try:
        yield from _csv_records(text)
    finally:
        text.detach()  # the file is its opener's to close


def _csv_records(text: TextIO) -> Iterator[Row]:
    reader = csv.reader(_lines(text))
    header = next(reader, [])
    places = _places(header)
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(reader.line_num, None, f"The line is no CSV: {error}.")
            continue
        if len(record) == len(header):
            record.append("")  # where columns point that the file does not have
            yield Row(reader.line_num, tuple([record[place] for place in places]))
        elif record:
            fault = f"The line has {len(record)} columns, the header {len(header)}."
            yield Row(reader.line_num, None, fault)


def _lines(text: TextIO) -> Iterator[str]:
    """Lines with their ends, cut at LONGEST_LINE: a file of one endless line fills no memory."""
    while line := text.readline(LONGEST_LINE):
        rest = line
        while len(rest) == LONGEST_LINE and not rest.endswith(("\n", "\r")):
            rest = text.readline(LONGEST_LINE)
        yield line


def _places(header: list[str]) -> list[int]:
    """Where each of COLUMNS stands in a row; one past the end for those that are missing."""
    if missing := [name for name in REQUIRED if name not in header]:
        raise Unreadable(f"The first line must name the columns; missing: {', '.join(missing)}.")
    if unknown := [name for name in header if name not in COLUMNS]:
        raise Unreadable(f"Unknown columns: {', '.join(unknown)}. Known: {', '.join(COLUMNS)}.")
    return [header.index(name) if name in header else len(header) for name in COLUMNS]


def _gzipped(file: IO[bytes]) -> Iterator[Row]:
    with gzip.open(file) as unpacked:
        yield from _csv(unpacked)


def _json_lines(file: IO[bytes]) -> Iterator[Row]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST_LINE)
            yield Row(number, None, "The line is longer than 64 KiB.")
        elif line.strip():
            yield _json_row(number, line)


def _json_row(number: int, line: bytes) -> Row:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Row(number, None, f"The line is no JSON: {error}.")
    if not isinstance(record, dict):
        return Row(number, None, "The line is no JSON object.")
    if unknown := sorted(set(record) - set(COLUMNS)):
        return Row(number, None, f"Unknown fields: {', '.join(unknown)}.")
    return Row(number, _in_order(record))


def _in_order(record: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(["" if (value := record.get(name)) is None else value for name in COLUMNS])


def _parquet(file: IO[bytes]) -> Iterator[Row]:
    log = parquet.ParquetFile(file)
    names = log.schema_arrow.names
    _places(names)
    number = 0
    for batch in log.iter_batches(PARQUET_ROWS):
        for record in _plain_times(batch).to_pylist():
            number += 1
            yield Row(number, _in_order(record))


def _plain_times(batch: Any) -> Any:
    """Python has no nanoseconds: times are cut to microseconds."""
    fields = [
        pa.field(field.name, pa.timestamp("us", field.type.tz))
        if pa.types.is_timestamp(field.type)
        else field
        for field in batch.schema
    ]
    return pa.Table.from_batches([batch]).cast(pa.schema(fields), safe=False)


_READERS: dict[str, Callable[[IO[bytes]], Iterator[Row]]] = {
    "csv": _csv,
    "csv.gz": _gzipped,
    "jsonl": _json_lines,
    "parquet": _parquet,
}
