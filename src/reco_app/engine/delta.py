"""What came in since a release was trained: read beside its index, as one.

A session counts at most once for a pair of items, and here only for pairs that it did not have
when the release was trained: one event of the two must be newer than the release's cut. A pair
that the index does not have counts from three sessions on.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine import delta_kernels
from reco_app.engine.index import DAY_SECONDS, EVENT_TYPES, POPULARITY_WEIGHTS, PURCHASE, Index
from reco_app.engine.rows import ItemWeights

if TYPE_CHECKING:
    from reco_app.engine.model import Model

Counted = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]
LEAST_SESSIONS = 3  # one visitor's whim, or one who makes up sessions, is not served to all
MOST_PAIRS = 1_000_000  # of the newest sessions, one by one: 13 MB while they are counted


class Recent(NamedTuple):
    """The newest sessions, oldest first: one row for each session, item and type of event.

    Rows of a session stand together, and in it those of an item. An event without a session has a
    row, and a session number, of its own.
    """

    session: NDArray[np.int32]
    item: NDArray[np.int32]
    """Place in the release's items; -1 for what it does not know."""
    kind: NDArray[np.uint8]
    """Place in EVENT_TYPES."""
    position: NDArray[np.int32]
    """How many moments of the session came before the last of these events; -1: no session."""
    at: NDArray[np.float64]
    """Of the last of these events, seconds since 1970."""
    number: NDArray[np.int64]
    """Of the first of these events, as they were stored."""


class Pairs(NamedTuple):
    """By item, ascending: the items that it was met with since."""

    start: NDArray[np.int64]
    items: NDArray[np.int32]
    bought: NDArray[np.int32]
    """Sessions that bought both."""
    met: NDArray[np.int32]
    """Sessions that met both otherwise."""
    session_weights: NDArray[np.float32]
    """Sessions with both, the shorter and the nearer the more, as session kNN weighs them."""
    basket_weights: NDArray[np.float32]
    """Of the baskets with the row's item, the part that has the other."""

    @property
    def counted(self) -> Counted:
        return self.start, self.items, self.bought, self.met

    @property
    def of_sessions(self) -> ItemWeights:
        return ItemWeights(self.start, self.items, self.session_weights)

    @property
    def of_baskets(self) -> ItemWeights:
        return ItemWeights(self.start, self.items, self.basket_weights)


class Delta(NamedTuple):
    """What a release lacks of N items."""

    pairs: Pairs
    popular: NDArray[np.float32]
    """N, to be added to the index's own."""
    trending: NDArray[np.float32]
    """N, likewise, as seen from the moment that the index's trends are measured from: both decay
    alike from then on."""
    position: int
    """Number of the newest event that was read."""


class Reader:
    """Reads deltas of one release; it remembers which pairs the index has."""

    def __init__(self, release: "Model") -> None:
        self.release = release
        index = release.index
        self._items = len(release.item_ids)
        self._bought_only = bool(((index.item_kinds & PURCHASE) > 0).any())
        self._choosers = _choosers(index, bought_only=self._bought_only)
        self._choosers += release.parameters.basket.ridge
        self._keys, self._known = np.empty(0, np.int64), np.empty(0, np.bool_)

    def read(self, recent: Recent, *, cut: int, since: float, position: int) -> Delta:
        """What these sessions add to the release.

        It has read the events up to number `cut`, and measures trends from `since` (seconds since
        1970).
        """
        release, items = self.release, self._items
        rows = delta_kernels.merged(recent, EVENT_TYPES.index("purchase"))
        _, item, _, kinds, *_ = rows
        keys, weights, ways = delta_kernels.pairs_of(
            rows, items, cut, release.parameters.session, MOST_PAIRS
        )
        order = np.argsort(keys, kind="stable")
        keys, weights, counts = delta_kernels.summed(keys, weights, ways, order)
        served = self._served(keys, counts[:, 2])
        in_baskets = counts[:, 0] if self._bought_only else counts[:, 2]
        counts = np.column_stack([counts, in_baskets])[served]
        chosen_by = (kinds & PURCHASE) > 0 if self._bought_only else np.ones(len(item), np.bool_)
        choosers = self._choosers + np.bincount(item[chosen_by], minlength=items)
        pairs = delta_kernels.both_ways(keys[served], weights[served], counts, choosers, items)
        popular, trending = np.zeros(items), np.zeros(items)
        half_life = release.parameters.trending_half_life_days * DAY_SECONDS
        worth = POPULARITY_WEIGHTS.astype(np.float64)
        delta_kernels.chosen(recent, worth, cut, (since, half_life), popular, trending)
        return Delta(
            Pairs(*pairs), popular.astype(np.float32), trending.astype(np.float32), position
        )

    def _served(self, keys: NDArray[np.int64], sessions: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Pairs that the index has, or that enough sessions support."""
        served = sessions >= LEAST_SESSIONS
        few = np.flatnonzero(~served)
        served[few] = self._in_index(keys[few])
        return served

    def _in_index(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these pairs, ascending, the index has; what was asked before is remembered."""
        place = np.minimum(np.searchsorted(self._keys, keys), max(len(self._keys) - 1, 0))
        asked = self._keys[place] == keys if len(self._keys) else np.zeros(len(keys), np.bool_)
        found = np.zeros(len(keys), np.bool_)
        found[asked] = self._known[place[asked]]
        index = self.release.index
        found[~asked] = delta_kernels.known(
            index.item_start, index.item_sessions, keys[~asked], self._items
        )
        self._keys, self._known = keys, found
        return found


def warm(release: "Model") -> None:
    """Compile, or load from the cache, all that reading takes."""
    columns = ([0, 0], [0, -1], [0, 0], [0, 1], [0.0, 0.0], [1, 2])
    types = (np.int32, np.int32, np.uint8, np.int32, np.float64, np.int64)
    recent = Recent(*(np.array(column, kind) for column, kind in zip(columns, types, strict=True)))
    Reader(release).read(recent, cut=0, since=0.0, position=0)


def in_order(index: Index, delta: Delta) -> Index:
    """The index with what is popular and what trends as it is now."""
    popular, popular_order = _moved(index.popular, index.popular_order, delta.popular)
    trending, trending_order = _moved(index.trending, index.trending_order, delta.trending)
    return index._replace(
        popular=popular,
        popular_order=popular_order,
        trending=trending,
        trending_order=trending_order,
    )


def _moved(
    values: NDArray[np.float32], order: NDArray[np.int32], more: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Values and descending order after `more` was added: only what changed is sorted anew."""
    values = values + more
    changed = np.flatnonzero(more).astype(np.int32)
    changed = changed[np.argsort(-values[changed], kind="stable")]
    kept = order[more[order] == 0]
    places = np.searchsorted(-values[kept], -values[changed], side="right")
    return values, np.insert(kept, places, changed)


def _choosers(index: Index, *, bought_only: bool) -> NDArray[np.float64]:
    """Of each item, how many baskets have it."""
    if not bought_only:
        return np.diff(index.item_start).astype(np.float64)
    bought = np.concatenate([[0], np.cumsum((index.item_kinds & PURCHASE) > 0)])
    return np.diff(bought[index.item_start]).astype(np.float64)


def _nothing() -> Pairs:
    none = np.zeros(0, np.int32)
    weights = np.zeros(0, np.float32)
    return Pairs(np.zeros(1, np.int64), none, none, none, weights, weights)


NOTHING = _nothing()
