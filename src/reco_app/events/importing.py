"""Event logs brought in from files, in bounded batches, each durable before the next is read.

An imported row is named by its own content, so that a file brought in twice, in parts, or again
after a break adds nothing that is already there. Rows that repeat one another count once.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime
from itertools import islice
from tempfile import TemporaryFile
from typing import Protocol

from reco_app.events import days, feeds, hash_keys, store
from reco_app.events.anonymity import event_digest, session_hash
from reco_app.events.contracts import BadRow, ImportSummary
from reco_app.events.rows import BadValue, ImportedEvent, read_row

BATCH = 20_000
SHOWN_BAD_ROWS = 100
UPLOAD_BLOCK = 1 << 20
MOST_UPLOAD = 1 << 30


class Upload(Protocol):
    """A body that is read in blocks."""

    def read(self, size: int, /) -> bytes: ...


Keep = Callable[[list[ImportedEvent]], int]


def import_rows(
    rows: Iterable[feeds.Row],
    *,
    now: datetime,
    keep: Keep,
    report: Callable[[int], None] = lambda read: None,
) -> ImportSummary:
    """Give good rows to `keep` in batches, and tell `report` after each how many rows were read."""
    bad: list[BadRow] = []
    read = accepted = good = rejected = 0
    remaining = iter(rows)
    closed = days.closed()
    with ThreadPoolExecutor(1) as writer:  # PostgreSQL works while the next rows are read
        writing: Future[int] | None = None
        while batch := list(islice(remaining, BATCH)):
            events, faults = _sorted_out(batch, now, closed)
            accepted += writing.result() if writing else 0
            writing = writer.submit(keep, events)
            good += len(events)
            read += len(batch)
            rejected += len(faults)
            bad += faults[: SHOWN_BAD_ROWS - len(bad)]
            report(read)
        accepted += writing.result() if writing else 0
    return ImportSummary(read, accepted, good - accepted, rejected, bad)


def import_upload(upload: Upload, *, form: str, now: datetime) -> ImportSummary:
    """Bring in an uploaded file. Raises feeds.Unreadable."""
    with TemporaryFile() as file:  # Parquet is read from its end, and uploads only go forward
        for block in iter(lambda: upload.read(UPLOAD_BLOCK), b""):
            file.write(block)
            if file.tell() > MOST_UPLOAD:
                raise feeds.Unreadable("The file is larger than 1 GiB; send it in parts.")
        file.seek(0)
        return import_rows(feeds.rows(file, form=form), now=now, keep=keep)


def keep(events: list[ImportedEvent]) -> int:
    """Store a batch; returns how many events were new."""
    return store.copy(_stored(events)) if events else 0


def only_check(events: list[ImportedEvent]) -> int:
    """Store nothing, and count every good row as one that would be taken."""
    return len(events)


def _sorted_out(
    batch: list[feeds.Row], now: datetime, closed: Collection[date]
) -> tuple[list[ImportedEvent], list[BadRow]]:
    events, faults = [], []
    for line, values, fault in batch:
        if values is None:
            faults.append(BadRow(line, None, fault))
            continue
        try:
            events.append(read_row(values, now=now, closed=closed))
        except BadValue as bad:
            faults.append(BadRow(line, bad.column, bad.detail))
    return events, faults


def _stored(events: list[ImportedEvent]) -> Iterator[store.StoredEvent]:
    keys = hash_keys.session_keys({event.day for event in events})
    hashes: dict[tuple[str, bytes], int] = {}
    for session_id, item_id, occurred_at, day, event_type, quantity, price in events:
        key = keys[day]
        content = f"{session_id}\n{item_id}\n{occurred_at}\n{event_type}\n{quantity}\n{price}"
        hashed = hashes.get((session_id, key))
        if hashed is None:
            hashed = hashes[session_id, key] = session_hash(session_id, key=key)
        yield store.StoredEvent(
            event_digest(content, key=key),
            hashed,
            item_id,
            event_type,
            quantity,
            price,
            occurred_at,
        )
