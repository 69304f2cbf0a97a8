"""One answer in a hundred, kept for seven days: what was asked, what was shown, by what release.

Answers are offered on the hot path, which only looks whether this is one of them; a thread writes.
Which are kept follows from the signature of the recommendation id, which is as good as chance. No
session is kept, and no words of the request's: products, numbers and the names of its fields.
"""

import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from queue import Empty, Full, Queue
from typing import Any
from zlib import crc32

import msgspec
from django.db import close_old_connections, connection, connections

from reco_app.events.models import RecommendationSample

ONE_IN = 100
KEPT = timedelta(days=7)
MOST_WAITING = 1000
MOST_AT_ONCE = 200
MOMENT_SECONDS = 1.0  # in which they gather
FIRST_FIELD = len('{"recommendation_id":"')
SIGNED = 8  # characters of the signature

log = logging.getLogger(__name__)


class _Shown(msgspec.Struct):
    item_id: str
    score: float
    source: str


class _Model(msgspec.Struct):
    version: str


class _Answer(msgspec.Struct):
    items: list[_Shown]
    missing_ids: list[str]
    model: _Model | None


_decoder = msgspec.json.Decoder(_Answer)
# Forty rows take 0.7 ms of this thread's time, as Django's objects 2.5, and answers want the lock.
_INSERT = """
    INSERT INTO events_recommendationsample (answered_at, scenario, release, request, items)
    SELECT * FROM unnest(%s::timestamptz[], %s::text[], %s::text[], %s::jsonb[], %s::jsonb[])
"""


class Writer:
    """The thread that writes, and the answers that wait for it."""

    def __init__(self) -> None:
        self.waiting: Queue[tuple[datetime, bytes, Any]] = Queue(MOST_WAITING)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recommendation-log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, after what is waiting was written."""
        self._stopped.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not (self._stopped.is_set() and self.waiting.empty()):
            # One by one they took a twentieth of the time of answering.
            self._stopped.wait(MOMENT_SECONDS)
            if taken := self._take():
                try:
                    close_old_connections()
                    _write(taken)
                except Exception as error:  # noqa: BLE001  # a thread's edge: it must outlive all
                    log.warning("%d answers are missing in the log: %r", len(taken), error)
        connections.close_all()

    def _take(self) -> list[tuple[datetime, bytes, Any]]:
        taken: list[tuple[datetime, bytes, Any]] = []
        with suppress(Empty):
            while len(taken) < MOST_AT_ONCE:
                taken.append(self.waiting.get_nowait())
        return taken


_running: list[Writer] = []


def start() -> None:
    _running.append(Writer())


def stop() -> None:
    while _running:
        _running.pop().stop()


def offer(answer: bytes, request: Any) -> None:
    """Keep this answer, encoded, to this request, if it is one of the hundredth.

    It is forgotten if a thousand wait already.
    """
    if not _running or not chosen(answer):
        return
    try:
        _running[0].waiting.put_nowait((datetime.now(UTC), answer, request))
    except Full:
        log.warning("the log of recommendations does not keep up")


def chosen(answer: bytes) -> bool:
    """Whether this is one of the hundredth, by its recommendation id."""
    end = answer.find(b'"', FIRST_FIELD)
    return crc32(answer[end - SIGNED : end]) % ONE_IN == 0


def expire(*, now: datetime) -> None:
    RecommendationSample.objects.filter(answered_at__lt=now - KEPT).delete()


def _write(taken: Sequence[tuple[datetime, bytes, Any]]) -> None:
    columns = zip(*(_sample(*one) for one in taken), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [list(column) for column in columns])


def _sample(
    answered_at: datetime, body: bytes, request: Any
) -> tuple[datetime, str, str, str, str]:
    answer = _decoder.decode(body)
    asked = _asked(request, unknown=set(answer.missing_ids))
    return (
        answered_at,
        request.scenario,
        answer.model.version if answer.model else "",
        msgspec.json.encode(asked).decode(),
        msgspec.json.encode(answer.items).decode(),
    )


def _asked(request: Any, *, unknown: set[str]) -> dict[str, Any]:
    """What can be kept of a request: what we do not know, anybody may have written there."""
    filters = request.filter
    return {
        "items": [item for item in request.items if item.item_id not in unknown],
        "unknown_items": len(unknown),
        "count": request.count,
        "leans_to_a_profile": request.profile is not None,
        "diversity": request.diversity,
        "include_context": request.include_context,
        "excluded": len(request.exclude_ids),
        "filter": {
            "categories": len(filters.category),
            "brands": len(filters.brand),
            "price_min": filters.price_min,
            "price_max": filters.price_max,
            "in_stock": filters.in_stock,
        },
        "has_budget": request.budget is not None,
    }
