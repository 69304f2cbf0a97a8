"""The days of the event table: one partition for each, made ahead, counted, and dropped whole."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from time import sleep
from typing import NamedTuple

from django.db import OperationalError, connection, transaction
from psycopg2.errors import LockNotAvailable

from reco_app.events.models import ClosedDay, SessionKey

LOCK_WAITS = "2s"  # whoever wants to write waits behind us for as long
CUT_TRIES = 10
CUT_PAUSE_SECONDS = 1.0  # those who waited behind a try store meanwhile
STORED = """
    SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'events_event'::regclass ORDER BY relname
"""
COUNT = """
    SELECT count(*), max(id) FROM events_event
    WHERE occurred_at >= %s AND occurred_at < %s AND id <= coalesce(%s, id)
"""
NEWEST = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_event_number"


EXPORT_LOCK = int.from_bytes(b"export", "big")  # what training's files are written under


class StoredMeanwhile(Exception):
    """Somebody else stored events for as long as nobody should have to wait behind us."""


class Contents(NamedTuple):
    """One day's events at the moment they were counted."""

    day: date
    events: int
    newest_id: int

    @property
    def file_name(self) -> str:
        return f"{self.day}.{self.events}-{self.newest_id}.parquet"


def span(day: date) -> tuple[datetime, datetime]:
    """When a day begins, and when the next one does."""
    begin = datetime.combine(day, time.min, UTC)
    return begin, begin + timedelta(days=1)


def make(of_days: Collection[date]) -> None:
    """Make what partitions these days lack. Inside a transaction no day is dropped until its end.

    Raises IntegrityError for a day that is closed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT events_make_days(%s::date[])", [sorted(of_days)])


def stored() -> list[date]:
    """The days that have a partition, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(STORED)
        names = [name.removeprefix("events_on_") for (name,) in cursor.fetchall()]
    return [datetime.strptime(name, "%Y%m%d").replace(tzinfo=UTC).date() for name in names]


def newest() -> int:
    """The highest number that an event was given, be it stored or still on its way."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST)
        return int(cursor.fetchone()[0])


def cut() -> int:
    """A number that parts all events in two: what is up to it is stored by now, or never will be.

    It waits for whoever is storing, and who comes meanwhile waits for it, but not for long.
    Raises StoredMeanwhile.
    """
    for tried in range(CUT_TRIES):
        if tried:
            sleep(CUT_PAUSE_SECONDS)
        try:
            return _cut()
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
    raise StoredMeanwhile(
        f"Somebody stores events in one long transaction: {CUT_TRIES} times none of {LOCK_WAITS} "
        "was free to tell which events are stored. Try again when that has ended."
    )


@transaction.atomic
def _cut() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAITS}'")
        cursor.execute("LOCK TABLE ONLY events_event IN SHARE MODE")
    return newest()


def count(day: date, *, until: int | None = None) -> Contents | None:
    """What a day holds now, or of that the events up to a number; None if that is nothing."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [*span(day), until])
        events, newest_id = cursor.fetchone()
    return Contents(day, events, newest_id) if events else None


def closed() -> dict[date, str]:
    """The days that have expired, and the name of the file that is left of each."""
    return dict(ClosedDay.objects.values_list("day", "file_name"))


@transaction.atomic
def drop(day: date, *, kept: Contents | None) -> bool:
    """Drop a day and the key of its sessions, if it holds what it held when it was counted.

    With `kept` it is closed: nothing can be added to it while its file stands for it.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAITS}'")
        cursor.execute("LOCK TABLE ONLY events_event IN ACCESS EXCLUSIVE MODE")
        if kept is not None and count(day) != kept:
            return False
        cursor.execute(f'DROP TABLE "events_on_{day:%Y%m%d}"')
    SessionKey.objects.filter(day=day).delete()
    if kept is not None:
        ClosedDay.objects.create(day=day, file_name=kept.file_name)
    return True


def forget_closed(before: date) -> None:
    ClosedDay.objects.filter(day__lt=before).delete()


@contextmanager
def exporting() -> Iterator[None]:
    """Nobody else writes or deletes training's files, and no day is closed, meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [EXPORT_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [EXPORT_LOCK])
