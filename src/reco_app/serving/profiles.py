"""Preference profiles at hand: process memory, then the profile service, then Redis."""

import asyncio
from dataclasses import dataclass
from time import monotonic

import msgspec

from reco_app.serving import cache, clients
from reco_app.serving.lean import Profile
from runtime import metrics, rest

FRESH_SECONDS = 2.0  # staff see an edit within three seconds
SPARE_SECONDS = 3600
KEPT = 1000


@dataclass(slots=True)
class _Remembered:
    profile: Profile | None
    fresh_until: float
    degraded: bool


_remembered: dict[str, _Remembered] = {}
# Slugs are whatever clients write: those of no profile must not push out any that there is.
_absent: dict[str, _Remembered] = {}


async def named(slug: str) -> tuple[Profile | None, bool]:
    """The profile, or None if there is none of that name; and whether the service was away, so
    that it may be out of date or missing."""
    known = _known(slug)
    if known is None or known.fresh_until <= monotonic():
        if known is not None:
            known.fresh_until = monotonic() + FRESH_SECONDS  # others go on with what is known
        known = await _refreshed(slug, known)
        _keep(slug, known)
    if known.degraded:
        metrics.degraded_total.labels("profile").inc()
    return known.profile, known.degraded


def fresh_until(slug: str) -> float:
    """Until when (on the monotonic clock) the profile need not be asked for again."""
    known = _known(slug)
    return known.fresh_until if known else 0.0


def forget() -> None:
    """Ask the service again for every profile."""
    _remembered.clear()
    _absent.clear()


def _known(slug: str) -> _Remembered | None:
    return _remembered.get(slug) or _absent.get(slug)


def _keep(slug: str, known: _Remembered) -> None:
    kept, other = (_absent, _remembered) if known.profile is None else (_remembered, _absent)
    other.pop(slug, None)
    if len(kept) >= KEPT:
        kept.clear()
    kept[slug] = known


async def _refreshed(slug: str, known: _Remembered | None) -> _Remembered:
    try:
        profile = await clients.profile(slug)
    except rest.Unavailable:
        spare = known.profile if known else await asyncio.to_thread(_spare, slug)
        return _Remembered(spare, monotonic() + FRESH_SECONDS, degraded=True)
    if profile is not None and (known is None or known.profile != profile):
        packed = {slug: msgspec.msgpack.encode(profile)}
        await asyncio.to_thread(cache.keep, "profile", packed, seconds=SPARE_SECONDS)
    return _Remembered(profile, monotonic() + FRESH_SECONDS, degraded=False)


def _spare(slug: str) -> Profile | None:
    kept = cache.read("profile", [slug]).get(slug)
    try:
        return msgspec.msgpack.decode(kept, type=Profile) if kept else None
    except msgspec.MsgspecError:  # kept by another version of this program
        return None
