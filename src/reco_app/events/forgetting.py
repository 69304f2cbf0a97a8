"""Sessions to be forgotten: what they are called, and that nobody stores anything of them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import cast

from django.db import connection, transaction
from django.db.models import Max

from reco_app.events import days
from reco_app.events.anonymity import session_hash
from reco_app.events.models import Event, ForgottenSession, SessionKey

# Whoever stores holds the lock together with others; whoever forgets a session holds it alone.
FORGET_LOCK = int.from_bytes(b"forget", "big")
FORGETTING_WAITS = "SELECT pg_advisory_xact_lock_shared(%s)"
FORGET_ALONE = "SELECT pg_advisory_xact_lock(%s)"


def hashes_of(session_id: str) -> dict[date, int]:
    """What a session is called on every day that still has its key."""
    keys = SessionKey.objects.order_by("day").values_list("day", "secret")
    return {day: session_hash(session_id, key=bytes(secret)) for day, secret in keys}


def alone() -> None:
    """Until this transaction ends, nobody stores anything."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET_ALONE, [FORGET_LOCK])


def wait() -> None:
    """Until this transaction ends, no session is forgotten."""
    with connection.cursor() as cursor:
        cursor.execute(FORGETTING_WAITS, [FORGET_LOCK])


@transaction.atomic
def forget(hashes: Mapping[date, int], *, now: datetime) -> int:
    """Delete what these sessions did on their days; returns how many events are gone.

    Events of them that are still on their way will not be stored either.
    """
    ForgottenSession.objects.bulk_create(
        [ForgottenSession(session_hash=hashed, forgotten_at=now) for hashed in hashes.values()],
        update_conflicts=True,
        unique_fields=["session_hash"],
        update_fields=["forgotten_at"],
    )
    gone = 0
    for day, hashed in hashes.items():
        begin, end = days.span(day)
        of_day = Event.objects.filter(occurred_at__gte=begin, occurred_at__lt=end)
        gone += of_day.filter(session_hash=hashed).delete()[0]
    return gone


def last_at() -> datetime | None:
    """When a session was last forgotten, as far as that is still known."""
    newest = ForgottenSession.objects.aggregate(Max("forgotten_at"))
    return cast("datetime | None", newest["forgotten_at__max"])
