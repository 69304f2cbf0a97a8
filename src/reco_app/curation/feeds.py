"""Feeds as streams of rows: JSON Lines, CSV, and Google Merchant's TSV and RSS or Atom XML.

Memory is bounded whatever comes in: by the length of a line, of a cell and of an XML item.
"""

import csv
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Literal, NamedTuple

import orjson

from reco_app.curation import feed_xml, validation
from reco_app.curation.feed_rows import BadRow, Row, Unreadable

Format = Literal["jsonl", "csv", "tsv", "xml"]
LONGEST_LINE = 1_000_000  # bytes; what is longer is cut there, and so becomes a bad row
MEDIA_TYPES: Mapping[str, Format] = {
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/x-jsonlines": "jsonl",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/rss+xml": "xml",
    "application/atom+xml": "xml",
}


class Feed(NamedTuple):
    """`google` tells that unknown columns are attributes, as Google's many are."""

    rows: Iterator[Row | BadRow]
    google: bool


def read(stream: BinaryIO, feed_format: Format) -> Feed:
    """The rows of a feed, read as they are asked for. Iterating raises: Unreadable."""
    if feed_format == "jsonl":
        return Feed(_json_rows(stream), google=False)
    if feed_format == "csv":
        return Feed(_table_rows(stream, delimiter=","), google=False)
    if feed_format == "tsv":
        return Feed(_table_rows(stream, delimiter="\t"), google=True)
    return Feed(feed_xml.rows(stream), google=True)


def recognise(start: bytes) -> Format:
    """The format of a feed by its first bytes."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return "xml"
    if text.startswith(b"{"):
        return "jsonl"
    return "tsv" if b"\t" in text.partition(b"\n")[0] else "csv"


def _json_rows(stream: BinaryIO) -> Iterator[Row | BadRow]:
    for number, line in enumerate(_lines(stream), start=1):
        if not line.strip():
            continue
        try:
            values = orjson.loads(line)
        except orjson.JSONDecodeError as trouble:
            yield BadRow(number, f"character {trouble.colno}", f"not JSON: {trouble.msg}", None)
            continue
        if isinstance(values, dict):
            yield Row(number, values)
        else:
            yield BadRow(number, "character 1", "not an object in braces", None)


def _table_rows(stream: BinaryIO, *, delimiter: str) -> Iterator[Row | BadRow]:
    reader = csv.reader(
        (line.decode("utf-8", errors="surrogateescape") for line in _lines(stream)),
        delimiter=delimiter,
    )
    header = [name.strip().lower() for name in _header(reader)]
    if any(validation.UNSTORABLE.search(name) for name in header):
        raise Unreadable("line 1: the header is not UTF-8; save the feed in that encoding")
    if "id" not in header and "item_id" not in header:
        raise Unreadable("line 1: the header names no column “id”")
    if repeated := sorted({name for name in header if header.count(name) > 1}):
        raise Unreadable(f"line 1: the header names twice: {', '.join(repeated)}")
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as trouble:
            yield BadRow(line, "row", f"{trouble}; is a quote left open?", None)
            continue
        if cells is None:
            return
        if len(cells) == len(header):
            yield Row(line, dict(zip(header, cells, strict=True)))
        elif cells:
            detail = f"{len(cells)} cells where the header names {len(header)} columns"
            if reader.line_num > line:
                detail += f"; it runs on to line {reader.line_num}: is a quote left open?"
            yield BadRow(line, f"cell {min(len(cells), len(header)) + 1}", detail, None)


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        return next(reader, [])
    except csv.Error as trouble:
        raise Unreadable(f"line 1: {trouble}") from trouble


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines with their ends, cut at LONGEST_LINE; a byte order mark is dropped."""
    first = True
    while line := stream.readline(LONGEST_LINE):
        if first:
            line = line.removeprefix(b"\xef\xbb\xbf")
            first = False
        rest = line
        while len(rest) == LONGEST_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(LONGEST_LINE)
        yield line
