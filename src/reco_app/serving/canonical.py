"""One form for all requests that mean the same: for digests, caches and replays."""

import hashlib
import math
from decimal import Decimal
from functools import lru_cache

import msgspec

from reco_app.serving.contracts import Budget, Request


@lru_cache(maxsize=4096)
def rounded_age(seconds: float) -> int:
    """The nearest power of two, so that a second's difference changes neither score nor cache."""
    return 0 if seconds < 1 else 2 ** round(math.log2(seconds))


def digest(request: Request) -> bytes:
    """Sixteen bytes that are equal for requests of equal meaning.

    The session and the consent are left out: they change no answer and must not be kept.
    """
    return hashlib.blake2b(_encode(request), digest_size=16).digest()


def _encode(request: Request) -> bytes:
    chosen = request.filter
    return msgspec.json.encode(
        (
            request.scenario,
            [
                (item.item_id, item.event_type, item.quantity, rounded_age(item.age_seconds))
                for item in request.items
            ],
            request.count,
            request.profile,
            each_once(chosen.category),
            each_once(chosen.brand),
            chosen.price_min and _amount(chosen.price_min),
            chosen.price_max and _amount(chosen.price_max),
            chosen.in_stock,
            request.budget and _budget(request.budget),
            each_once(request.exclude_ids),
            request.diversity,
            each_once(request.fields),
            request.include_context,
        )
    )


@lru_cache(maxsize=256)
def each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in their one order."""
    return tuple(sorted(set(names)))


def _budget(budget: Budget) -> str | None | list[str | None]:
    """What is left to spend, and the gap to free shipping only if there is one."""
    remaining, gap = (
        _amount(money) if isinstance(money, str) else None
        for money in (budget.remaining, budget.free_shipping_gap)
    )
    return remaining if gap is None else [remaining, gap]


def _amount(money: str) -> str:
    return format(Decimal(money).normalize(), "f")
