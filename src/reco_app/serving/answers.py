"""Whole answers at hand: what was asked a moment ago is not worked out again.

An answer holds for the one state it was made from: another release, a product or rule that
changed, and whatever else may come to be part of the state throw all of them away.
"""

import hashlib
import weakref
from collections import OrderedDict
from dataclasses import dataclass, field
from time import monotonic

from prometheus_client import Gauge

from reco_app.serving import live, profiles
from reco_app.serving.contracts import Request
from reco_app.serving.live import Live
from reco_app.settings import current
from runtime import metrics

MOST_ANSWERS = 4096
MOST_BYTES = 32 << 20
MOST_WORDINGS = 4  # of one question; none longer than LONGEST_WORDING
LONGEST_WORDING = 4096

Wording = bytes | str
"""A question as it was sent: the body of a POST, or the query string of a GET."""


@dataclass(slots=True)
class Kept:
    """An encoded answer; `meaning` is the digest of its request, which tells nothing of who asked.

    Only what is in the table is found again: what is degraded never is.
    """

    body: bytes
    meaning: bytes
    curation_version: int
    degraded: bool
    until: float = 0.0
    wordings: list[Wording] = field(default_factory=list)
    _etag: str = ""

    @property
    def etag(self) -> str:
        """Weak, and not over the recommendation id: that of an equal answer tells another time."""
        if not self._etag:
            told = hashlib.blake2b(self.body[self.body.index(b'"items":') :], digest_size=12)
            told.update(str(self.curation_version).encode())
            self._etag = f'W/"{told.hexdigest()}"'
        return self._etag


class _Table:
    """The oldest answer goes first, for it is also the first to be out of date."""

    def __init__(self, state: Live) -> None:
        self.by_meaning: OrderedDict[bytes, Kept] = OrderedDict()
        self.by_wording: dict[Wording, Kept] = {}
        self.size = 0
        self.made_from = weakref.ref(state)

    def is_of(self, state: Live) -> bool:
        return self.made_from() is state

    def add(self, kept: Kept) -> None:
        if kept.meaning in self.by_meaning:
            self._drop(self.by_meaning.pop(kept.meaning))
        self.by_meaning[kept.meaning] = kept
        self.size += len(kept.body)
        while self.size > MOST_BYTES or len(self.by_meaning) > MOST_ANSWERS:
            self._drop(self.by_meaning.popitem(last=False)[1])

    def add_wording(self, wording: Wording, kept: Kept) -> None:
        kept.wordings.append(wording)
        self.by_wording[wording] = kept
        self.size += len(wording)

    def _drop(self, kept: Kept) -> None:
        self.size -= len(kept.body)
        for wording in kept.wordings:
            self.size -= len(wording)
            self.by_wording.pop(wording, None)


_table = _Table(live.current())
kept_answers = Gauge(
    "multireco_answers_kept",
    "Whole answers at hand in this process.",
    registry=metrics.registry,
)
kept_answers.set_function(lambda: len(_table.by_meaning))


def worded(wording: Wording) -> Kept | None:
    """The answer to a question that was asked in these very words."""
    kept = _table.by_wording.get(wording)
    return kept if kept is not None and _holds(kept) else None


def meant(meaning: bytes) -> Kept | None:
    """The answer to a question of this meaning."""
    kept = _table.by_meaning.get(meaning)
    return kept if kept is not None and _holds(kept) else None


def keep(kept: Kept, request: Request, state: Live) -> None:
    """Keep a whole answer that was made from this state, if it still is the live one."""
    global _table  # noqa: PLW0603  # this module's purpose
    seconds = current().answer_cache_seconds
    if not seconds or kept.degraded or state is not live.current():
        return
    if not _table.is_of(state):
        _table = _Table(state)
    kept.until = monotonic() + seconds
    if request.profile is not None:  # an edited profile is not told here
        kept.until = min(kept.until, profiles.fresh_until(request.profile))
    _table.add(kept)


def keep_wording(wording: Wording, kept: Kept, request: Request) -> None:
    """Find a kept answer by these words, too. Words that name a session are not kept."""
    if _table.by_meaning.get(kept.meaning) is not kept or request.session_id is not None:
        return
    if len(wording) <= LONGEST_WORDING and len(kept.wordings) < MOST_WORDINGS:
        _table.add_wording(wording, kept)


def forget() -> None:
    """Work every answer out anew."""
    global _table  # noqa: PLW0603  # this module's purpose
    _table = _Table(live.current())


def _holds(kept: Kept) -> bool:
    return monotonic() < kept.until and _table.is_of(live.current())
