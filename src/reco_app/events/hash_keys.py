"""The keys that hash session ids, one a day, and senders, one an hour: made, read, destroyed.

A key that was destroyed cannot be made again: what it hashed can be linked to nothing.
"""

import secrets
from collections.abc import Collection, Mapping
from datetime import date, datetime

from reco_app.events.models import SenderKey, SessionKey


def session_keys(of_days: Collection[date]) -> Mapping[date, bytes]:
    """The keys of these days, made where a day has none yet."""
    keys = stored_keys(of_days)
    missing = [
        SessionKey(day=day, secret=secrets.token_bytes(32)) for day in set(of_days) - set(keys)
    ]
    if missing:
        SessionKey.objects.bulk_create(
            sorted(missing, key=lambda key: key.day), ignore_conflicts=True
        )
        keys = stored_keys(of_days)
    return keys


def stored_keys(of_days: Collection[date]) -> dict[date, bytes]:
    """The keys of those of these days that have one."""
    rows = SessionKey.objects.filter(day__in=set(of_days)).values_list("day", "secret")
    return {day: bytes(secret) for day, secret in rows}


def sender_keys(hours: Collection[datetime]) -> dict[datetime, bytes]:
    """The keys of those of these hours that have one."""
    rows = SenderKey.objects.filter(hour__in=set(hours)).values_list("hour", "secret")
    return {hour: bytes(secret) for hour, secret in rows}


def make_sender_keys(hours: Collection[datetime]) -> None:
    """Make the keys that these hours lack."""
    SenderKey.objects.bulk_create(
        [SenderKey(hour=hour, secret=secrets.token_bytes(32)) for hour in sorted(hours)],
        ignore_conflicts=True,
    )


def destroy_sender_keys(before: datetime) -> int:
    """Returns how many there were."""
    return int(SenderKey.objects.filter(hour__lt=before).delete()[0])
