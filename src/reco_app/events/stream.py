"""Tells every serving process what the newest sessions came to, within moments: a Redis stream.

Nothing rests on it. Whoever follows knows when something was missed, and reads it in PostgreSQL;
while Redis is away, or a message was lost on its way, that is what they do anyway.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from time import time
from typing import Any, NamedTuple

import redis
from msgspec import DecodeError, Struct, json
from msgspec.structs import replace
from redis.backoff import NoBackoff
from redis.retry import Retry

from reco_app.events import days, recent
from reco_app.events.recent import State
from reco_app.events.store import StoredEvent
from reco_app.settings import current
from runtime import metrics, tracing
from runtime.breakers import breaker

STREAM = "multireco:recent-sessions"
KEPT_MESSAGES = 10_000  # some megabytes; who is behind by more reads PostgreSQL
KEPT_SECONDS = 120  # what is forgotten is not to be found here, either
STATES_A_MESSAGE = 100
READ_AT_A_TIME = 500
TIMEOUT_SECONDS = 0.5

log = logging.getLogger(__name__)


class Message(Struct, array_like=True, frozen=True, gc=False):
    """Sessions as they are now; of those `gone` nothing counts up to the event of `number`."""

    states: Sequence[State]
    gone: Sequence[int] = ()
    number: int = 0
    delivery: str = ""
    """The name of the delivery whose last message this is."""
    cause: str = ""
    """The span that stored what is told here, where it is kept."""


class Place(NamedTuple):
    """How far somebody has read: the last message, and how many there were in all up to it."""

    message: str
    messages: int


class Missed(Exception):
    """Messages came and went unread: the stream was cut short, emptied, or lost with its server."""


_decoder = json.Decoder(Message)


def tell(events: Collection[StoredEvent], *, now: datetime, delivery: str = "") -> None:
    """Tell what the sessions of these events came to, as it is stored by now.

    `delivery` is the name of the one that brought them.
    """
    learned = [event for event in events if event.event_type in recent.LEARNED]
    sessions = {event.session_hash for event in learned if event.session_hash is not None}
    alone = [(event.occurred_at, event.event_id) for event in learned if event.session_hash is None]
    names = sessions | {recent.name_of(event_id) for _, event_id in alone}
    if not names or breaker(STREAM).opened:
        return
    number = days.newest()
    states = [*recent.of_sessions(sessions, now=now), *recent.of_events(alone, now=now)]
    gone = list(names - {state.name for state in states})
    messages = [
        Message(states[first : first + STATES_A_MESSAGE])
        for first in range(0, len(states), STATES_A_MESSAGE)
    ]
    *others, last = [*messages, Message([], gone, number)] if gone else messages
    for message in (*others, replace(last, delivery=delivery, cause=tracing.here())):
        _send(message)


def tell_gone(names: Iterable[int]) -> None:
    """Tell that of these sessions nothing counts of what is stored by now."""
    gone = list(names)
    if gone:
        _send(Message([], gone, days.newest()))


def end() -> Place:
    """Behind the newest message, of which there is one at least. Raises redis.RedisError."""
    with breaker(STREAM), metrics.timed("redis"):
        pipeline: Any = _client().pipeline()
        place = _place(pipeline.xinfo_stream(STREAM).execute(raise_on_error=False)[0])
    if place.messages:
        return place
    _add(Message([]))  # or one that was emptied at once would look like this one
    return end()


def read(place: Place) -> tuple[list[Message], Place]:
    """The messages from a place on, and the place behind them.

    Raises Missed if there were others, and redis.RedisError.
    """
    messages: list[Message] = []
    while True:
        with breaker(STREAM), metrics.timed("redis"):
            pipeline: Any = _client().pipeline()  # one transaction: both tell of the same moment
            pipeline.xread({STREAM: place.message}, count=READ_AT_A_TIME)
            told, state = pipeline.xinfo_stream(STREAM).execute(raise_on_error=False)
        if isinstance(told, redis.RedisError):
            raise told
        entries = told[0][1] if told else []
        messages += [message for _, fields in entries if (message := _decoded(fields))]
        if entries:
            place = Place(entries[-1][0].decode(), place.messages + len(entries))
        if len(entries) < READ_AT_A_TIME:
            break
    if _place(state).messages != place.messages:
        raise Missed
    return messages, place


def _decoded(fields: dict[bytes, bytes]) -> Message | None:
    """None for what another version of the product tells: PostgreSQL tells it soon."""
    try:
        return _decoder.decode(fields.get(b"m", b""))
    except DecodeError as error:
        log.warning("a message of the stream is passed over: %s", error)
        return None


def trim() -> None:
    """Drop the messages whose time is over. Raises redis.RedisError."""
    oldest = int((time() - KEPT_SECONDS) * 1000)
    with breaker(STREAM), metrics.timed("redis"):
        _client().xtrim(STREAM, minid=oldest, approximate=False)


def _place(state: Any) -> Place:
    """Of what Redis says of the stream, or that there is none."""
    if isinstance(state, redis.ResponseError):
        return Place("0-0", 0)
    if isinstance(state, redis.RedisError):
        raise state
    return Place(state["last-generated-id"].decode(), state["entries-added"])


def _send(message: Message) -> None:
    if not breaker(STREAM).admits():
        return
    try:
        _add(message)
    except redis.RedisError as error:
        log.warning("sessions are not told of at once, but read in PostgreSQL: %s", error)


def _add(message: Message) -> None:
    fields: dict[Any, Any] = {"m": json.encode(message)}
    with breaker(STREAM), metrics.timed("redis"):
        _client().xadd(STREAM, fields, maxlen=KEPT_MESSAGES, approximate=True)


@cache
def _client() -> "redis.Redis":
    return redis.Redis.from_url(
        current().redis_url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),  # telling twice does no harm
    )
