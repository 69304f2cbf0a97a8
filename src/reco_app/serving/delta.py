"""What came in since the release was trained, in this process' memory and in its answers.

A Redis stream tells of sessions as they grow. PostgreSQL is read at the start, when the stream was
cut short or lost, now and then for whatever was not told, and every other second while Redis is
away. So nothing is missing for long, and as states of sessions replace one another, nothing counts
twice.
"""

import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import nan
from threading import Lock
from time import monotonic, time

import redis
from prometheus_client import Gauge

from reco_app.engine.delta import Reader
from reco_app.engine.model import Model
from reco_app.events import days, effect, recent, stream
from reco_app.serving import live
from reco_app.serving.live import Live
from reco_app.serving.newest import MOST, Newest
from reco_app.serving.shelf import Shelf
from runtime import metrics, tracing

BUILD_SECONDS = 1.0  # each change throws away the answers at hand
READ_SECONDS = 10.0
READ_SECONDS_AWAY = 2.0
READ_ALL_SECONDS = 600.0  # what is gone from PostgreSQL is gone here, whether that was told or not
# Events are numbered before they are stored: what is read again may have been on its way.
OVERLAP_SECONDS = 20.0
MOST_SILENT_SECONDS = 10.0
MOST_CAUSES = 100  # spans that one change of the answers is told to

log = logging.getLogger(__name__)
sessions_held = Gauge(
    "multireco_delta_sessions",
    "Sessions, and events without one, that this process knows beyond its release's training.",
    registry=metrics.registry,
)
pairs_held = Gauge(
    "multireco_delta_pairs",
    "Pairs of products, in both directions, that its answers know from these sessions.",
    registry=metrics.registry,
)
age_seconds = Gauge(
    "multireco_delta_age_seconds",
    "For how long nobody could tell this process what is new.",
    registry=metrics.registry,
)


@dataclass(slots=True)
class _Followed:
    """What was heard, and how far."""

    newest: Newest = field(default_factory=Newest)
    place: stream.Place | None = None
    complete_from: int | None = None
    """Everything beyond this number is held, as far as it is not too old or too much."""
    seen: deque[tuple[float, int]] = field(default_factory=deque)
    """When PostgreSQL was read, and up to which number events may have been there."""
    read_at: float = 0.0
    read_all_at: float = 0.0
    heard_at: float = 0.0
    causes: list[tuple[str, float]] = field(default_factory=list)
    """The spans that told of what answers do not know yet, and when that was heard."""
    reader: Reader | None = None
    built: int = -1
    built_at: float = 0.0


_followed = _Followed()
_building = Lock()
age_seconds.set_function(lambda: monotonic() - _followed.heard_at if _followed.heard_at else nan)


def start_again() -> None:
    """Forget everything, as a process that starts."""
    global _followed  # noqa: PLW0603  # this module's purpose
    _followed = _Followed()


def follow() -> None:
    """Hear what is new, and have answers feel it."""
    model = live.current().model
    cut = None if model is None else cut_of(model)
    if model is None or cut is None:
        effect.lose_sight()
        return
    try:
        if _is_complete(cut):
            _hear(cut)
        else:
            _catch_up(cut)
    finally:
        _serve()


def conditions() -> Mapping[str, str]:
    """Whether answers feel what comes in, in the words of a readiness check."""
    model = live.current().model
    if model is None or cut_of(model) is None:
        return {"delta": "ok"}
    if not _followed.heard_at:
        return {"delta": "not read since the start"}
    silent = monotonic() - _followed.heard_at
    return {"delta": "ok" if silent < MOST_SILENT_SECONDS else f"not followed for {silent:.0f} s"}


def cut_of(model: Model) -> int | None:
    """The number of the last event that the release was trained on; None if it does not tell."""
    cut = model.manifest.get("cut")
    return cut if isinstance(cut, int) else None


def on(state: Live) -> Live:
    """The state with what is known beyond its release; without, if that has to be read first."""
    model = state.model
    cut = None if model is None else cut_of(model)
    if model is None or cut is None or not _is_complete(cut):
        return state
    return replace(state, model=_together(model.release, state.shelf, cut))


def _is_complete(cut: int) -> bool:
    """Whether all is held that a release of this cut lacks."""
    return _followed.complete_from is not None and _followed.complete_from <= cut


def _catch_up(cut: int) -> None:
    """Read all that the release lacks, and go on from where the stream is then.

    While PostgreSQL is away answers keep what they felt before.
    """
    effect.lose_sight()
    place, newest = _end(), Newest()
    seen = _read_into(newest, number=cut)
    _followed.place, _followed.newest, _followed.built = place, newest, -1
    _followed.seen = deque([seen])
    _followed.complete_from, _followed.read_all_at = cut, monotonic()
    log.info("sessions since the training are read", extra={"sessions": len(_followed.newest)})


def _hear(cut: int) -> None:
    try:
        _listen()
    except stream.Missed:
        _catch_up(cut)
        return
    except redis.RedisError as error:
        log.warning("Redis is away, new events are read in PostgreSQL: %s", error)
        _followed.place = None
        effect.lose_sight()
    away, silent = _followed.place is None, monotonic() - _followed.read_at
    if silent < (READ_SECONDS_AWAY if away else READ_SECONDS):
        return
    if not away:
        _trim()
    long_ago = monotonic() - _followed.read_all_at > READ_ALL_SECONDS
    if long_ago or (away and _end() is not None):
        _catch_up(cut)
    else:
        _read_since(max(cut, _seen_before(OVERLAP_SECONDS)))


def _trim() -> None:
    with suppress(redis.RedisError):
        stream.trim()


def _listen() -> None:
    """Take in the messages that came since; nothing while Redis is away."""
    if _followed.place is None:
        return
    messages, _followed.place = stream.read(_followed.place)
    for message in messages:
        _followed.newest.drop(message.gone, number=message.number)
        _followed.newest.put(message.states)
        effect.told(message.delivery)
        if message.cause and len(_followed.causes) < MOST_CAUSES:
            _followed.causes.append((message.cause, time()))
    _followed.heard_at = monotonic()


def _read_since(number: int) -> None:
    """Take in what PostgreSQL has beyond this number."""
    _followed.seen.append(_read_into(_followed.newest, number=number))


def _read_into(newest: Newest, *, number: int) -> tuple[float, int]:
    """When PostgreSQL was read, and up to which number events may have been there."""
    began, now = monotonic(), datetime.now(UTC)
    seen = days.newest()
    newest.put(recent.since(number, most=MOST, now=now))
    newest.thin_out(now=now)
    _followed.read_at = _followed.heard_at = monotonic()
    return began, seen


def _seen_before(seconds: float) -> int:
    """The number that was seen at least so long ago; older ones are no longer needed."""
    seen = _followed.seen
    while len(seen) > 1 and seen[1][0] <= monotonic() - seconds:
        seen.popleft()
    return seen[0][1] if seen[0][0] <= monotonic() - seconds else 0


def _end() -> stream.Place | None:
    """Where to go on listening; None while Redis is away."""
    try:
        return stream.end()
    except redis.RedisError:
        return None


def _serve() -> None:
    """Have answers feel what has changed, at most once a second."""
    state = live.current()
    if state.model is None:
        return
    release = state.model.release
    if not _is_built(release):
        cut = cut_of(release)
        if cut is None or monotonic() - _followed.built_at < BUILD_SECONDS:
            return
        together = _together(release, state.shelf, cut)
        live.change(lambda state: _with(state, together))
    if _followed.place is not None:
        effect.felt()
    _tell_causes()


def _tell_causes() -> None:
    """Tell the traces of what came in that answers feel it by now."""
    for cause, told_at in _followed.causes:
        tracing.felt("answers feel events", cause=cause, since=told_at)
    _followed.causes.clear()


def _with(state: Live, together: Model) -> Live:
    if state.model is None or state.model.release is not together.release:
        return state
    return replace(state, model=together)


def _is_built(release: Model) -> bool:
    reader = _followed.reader
    return (
        reader is not None
        and reader.release is release
        and _followed.built == _followed.newest.changes
    )


def _together(release: Model, shelf: Shelf, cut: int) -> Model:
    with _building:
        known = len(release.item_ids)

        def place_of(item_id: str) -> int:
            place = shelf.position(item_id)
            return place if place < known else -1

        if _followed.reader is None or _followed.reader.release is not release:
            _followed.reader = Reader(release)
        newest = _followed.newest
        changes = newest.changes
        delta = _followed.reader.read(
            newest.columns(release, place_of),
            cut=cut,
            since=datetime.fromisoformat(release.manifest["trained_at"]).timestamp(),
            position=newest.position,
        )
        _followed.built, _followed.built_at = changes, monotonic()
    sessions_held.set(len(newest))
    pairs_held.set(len(delta.pairs.items))
    return release.with_delta(delta)
