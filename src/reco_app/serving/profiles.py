"""Preference profiles at hand: process memory, then Redis, then the profile service."""

from dataclasses import dataclass
from time import monotonic, time

import msgspec

from reco_app.serving import cache
from reco_app.serving.lean import Profile
from runtime import metrics

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
        known = await _read(slug, known)
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


async def _read(slug: str, known: _Remembered | None) -> _Remembered:
    found = await cache.profiles.read([slug])
    value = found.values.get(slug)
    if found.trouble or value is None:
        # Without Redis, what is known here is all that is left in bad times.
        spare = known.profile if known and found.trouble and not value else None
        profile = _decoded(value.body) if value else spare
        lasts = cache.FRESH_SECONDS
    else:
        profile = _decoded(value.body)
        lasts = cache.profiles.early(value) - time()
    return _Remembered(profile, monotonic() + lasts, degraded=found.trouble is not None)


def _decoded(body: bytes) -> Profile:
    return msgspec.json.decode(body, type=Profile)
