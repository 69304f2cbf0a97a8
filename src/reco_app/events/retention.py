"""What is kept, and for how long: events in PostgreSQL, and then as training's files only."""

import logging
from datetime import date, datetime, timedelta
from pathlib import Path

from django.db import OperationalError

from reco_app.events import (
    days,
    dead_letters,
    erasure,
    export,
    hash_keys,
    quarantine,
    recommendation_log,
    senders,
    store,
)
from reco_app.events.anonymity import day_of, hour_of

AHEAD = (0, 1, 2)  # days whose partitions and keys are there before their first event
NAMES_DAYS = 8  # whole days: at least seven times 24 hours

log = logging.getLogger(__name__)


def expire(*, event_days: int, archive_days: int, folder: Path, now: datetime) -> int:
    """Drop the events of days that are over their time; returns how many days were dropped.

    A day is first written to training's folder, where its file is kept for `archive_days`. Killed
    at any moment, the next run goes on.
    """
    today = day_of(now)
    make_ahead(today)
    before = today - timedelta(days=event_days)
    archived_from = today - timedelta(days=archive_days)
    old = [day for day in days.stored() if day < before]
    with days.exporting():
        dropped = sum(_dropped(day, folder, keep=day >= archived_from) for day in old)
        days.forget_closed(archived_from)
        export.delete_expired(folder)
    midnight, _ = days.span(before)
    quarantine.expire(events_before=midnight, now=now)
    dead_letters.expire(midnight)
    recommendation_log.expire(now=now)
    store.expire(before)
    store.forget_names(today - timedelta(days=NAMES_DAYS))
    return dropped


def tidy(*, folder: Path, now: datetime) -> None:
    """What cannot wait for the night: keys of hours that are over, and sessions to be forgotten."""
    senders.forget_before(hour_of(now))
    erasure.cleanse(folder, now=now)
    try:
        dead_letters.collect()
    except dead_letters.Unreachable as error:
        log.warning("dead letters stay in their queue: %s", error)


def make_ahead(today: date) -> None:
    """Partitions and session keys of the days to come."""
    coming = {today + timedelta(days=number) for number in AHEAD}
    days.make(coming)
    hash_keys.session_keys(coming)


def _dropped(day: date, folder: Path, *, keep: bool) -> bool:
    contents = days.count(day) if keep else None
    if contents is not None:
        export.write(folder, contents)
    try:
        gone = days.drop(day, kept=contents)
    except OperationalError as error:  # somebody reads or writes for long
        log.warning("%s is dropped by the next run: %s", day, error)
        return False
    return gone
