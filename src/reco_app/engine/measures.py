"""Measures of ranked lists against the one item that came next, and their uncertainty."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1_000


class Interval(NamedTuple):
    """A mean and its 95 % bounds."""

    mean: float
    low: float
    high: float


def positions(lists: NDArray[np.int32], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each target stands in its list, from 1; 0 where it is not in it.

    `lists` is n x k, filled up with -1; `targets` holds n items, -1 for one never seen.
    """
    hits = (lists == targets[:, None]) & (targets >= 0)[:, None]
    return np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 0)


def recall(found: NDArray[np.int64], cutoff: int) -> NDArray[np.float64]:
    """1 where the target is among the first `cutoff`, else 0."""
    return ((found > 0) & (found <= cutoff)).astype(np.float64)


def reciprocal_rank(found: NDArray[np.int64], cutoff: int) -> NDArray[np.float64]:
    """One over the position, 0 beyond the cutoff."""
    return recall(found, cutoff) / np.maximum(found, 1)


def ndcg(found: NDArray[np.int64], cutoff: int) -> NDArray[np.float64]:
    """Normalised discounted gain of a single relevant item."""
    return recall(found, cutoff) / np.log2(np.maximum(found, 1) + 1.0)


def coverage(lists: NDArray[np.int32], cutoff: int, item_count: int) -> float:
    """Part of all items that stand in at least one list."""
    shown = np.unique(lists[:, :cutoff])
    return float((shown >= 0).sum() / max(item_count, 1))


def popularity_bias(lists: NDArray[np.int32], cutoff: int, popular: NDArray[np.floating]) -> float:
    """Mean popularity of what is shown, the most popular item being 1."""
    shown = lists[:, :cutoff]
    highest = float(popular.max(initial=0)) or 1.0
    return float(popular[shown[shown >= 0]].mean() / highest) if (shown >= 0).any() else 0.0


def paired_interval(
    gains: NDArray[np.float64], groups: NDArray[np.int64], *, seed: int = 0
) -> Interval:
    """Mean gain per case with bootstrap bounds, resampling whole groups (sessions)."""
    _, group = np.unique(groups, return_inverse=True)
    totals = np.bincount(group, gains)
    sizes = np.bincount(group)
    draw = np.random.default_rng(seed).integers(0, len(totals), (RESAMPLES, len(totals)))
    means = totals[draw].sum(axis=1) / sizes[draw].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(gains.mean()), float(low), float(high))
