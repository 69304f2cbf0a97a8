"""The session index: one log of events as arrays that can be mapped into memory."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine import linear, rows, sessions
from reco_app.engine.content import Features, undescribed
from reco_app.engine.embedding import embed, unembedded
from reco_app.engine.parameters import Parameters
from reco_app.engine.rows import ItemWeights
from reco_app.engine.sessions import BySession, Counted
from reco_app.engine.substitutes import substitutes

EVENT_TYPES = ("view", "click", "add-to-cart", "purchase")
POPULARITY_WEIGHTS = np.array([1.0, 1.0, 2.0, 3.0], np.float32)  # by event type
PARTS = frozenset({"basket", "similar", "embedding"})
"""What takes long to build; the rest of an index ranks without it."""
PURCHASE = np.uint8(1 << EVENT_TYPES.index("purchase"))
DAY_SECONDS = 86_400.0


class Log(NamedTuple):
    """Events as columns of one length, in any order."""

    session: NDArray[np.int64]
    """Number of the event's session; -1 where it has none: it then counts for popularity only."""
    item: NDArray[np.int32]
    """Place in the list of items."""
    event_type: NDArray[np.uint8]
    """Place in EVENT_TYPES."""
    at: NDArray[np.float64]
    """Seconds since 1970."""


class Catalogue(NamedTuple):
    """What the index needs to know of the items, by place in the list of items."""

    category: NDArray[np.int32]
    """Number of the finest category; -1 where unknown."""
    published_at: NDArray[np.float64]
    """Seconds since 1970; 0 where unknown, then the first event counts."""
    described: Features
    """What makes products alike."""


def uncatalogued(item_count: int) -> Catalogue:
    """Of items that are known from events alone."""
    return Catalogue(
        np.full(item_count, -1, np.int32), np.zeros(item_count), undescribed(item_count)
    )


class Index(NamedTuple):
    """S sessions, N items, E distinct pairs of them; sessions are numbered from old to new."""

    session_start: NDArray[np.int64]  # S + 1
    session_items: NDArray[np.int32]  # E, by session, by first occurrence
    session_positions: NDArray[np.int32]  # E: how many moments of the session came before
    session_at: NDArray[np.float64]  # S, time of the last event
    item_start: NDArray[np.int64]  # N + 1
    item_sessions: NDArray[np.int32]  # E, by item, newest session first
    item_kinds: NDArray[np.uint8]  # E, bit t set: an event of type t
    idf: NDArray[np.float32]  # N
    popular: NDArray[np.float32]  # N
    popular_order: NDArray[np.int32]  # N
    trending: NDArray[np.float32]  # N
    trending_order: NDArray[np.int32]  # N
    published_at: NDArray[np.float64]  # N
    new_order: NDArray[np.int32]  # N
    category: NDArray[np.int32]  # N, -1 where unknown
    category_start: NDArray[np.int64]  # categories + 1
    category_items: NDArray[np.int32]  # by category, most popular first
    basket_start: NDArray[np.int64]  # N + 1
    basket_items: NDArray[np.int32]  # by item, heaviest first
    basket_weights: NDArray[np.float32]
    similar_start: NDArray[np.int64]  # N + 1
    similar_items: NDArray[np.int32]
    similar_weights: NDArray[np.float32]
    similar_viewed: NDArray[np.uint8]  # 1: looked at in the same sessions
    vector_place: NDArray[np.int32]  # N, row in vectors or -1
    vectors: NDArray[np.float32]  # items with sessions x dimensions, unit rows
    near_start: NDArray[np.int64]  # N + 1
    near_items: NDArray[np.int32]  # by item, nearest vector first


def build(
    counted: Counted,
    catalogue: Catalogue,
    parameters: Parameters,
    *,
    now: float,
    parts: Collection[str] = PARTS,
) -> Index:
    """Index what a log came to; of PARTS only some, for who asks no more of it.

    `now` (seconds since 1970) is the moment that trends are measured from.
    """
    count = len(catalogue.category)
    by_session, by_item = counted.by_session, counted.by_item
    popular, trending = _popularity(counted, count, parameters, now)
    published_at = np.where(catalogue.published_at > 0, catalogue.published_at, counted.first_at)
    category_start, category_items = _by_category(catalogue.category, popular)
    basket = similar = rows.empty(count)
    viewed = np.zeros(0, np.uint8)
    if "basket" in parts:
        basket = _basket(by_session, count, parameters)
    if "similar" in parts:
        similar, viewed = substitutes(by_session, catalogue.described, popular)
    embedding = embed(by_session, count) if "embedding" in parts else unembedded(count)
    return Index(
        session_start=by_session.start,
        session_items=by_session.items,
        session_positions=by_session.positions,
        session_at=by_session.at,
        item_start=by_item.start,
        item_sessions=by_item.sessions,
        item_kinds=by_item.kinds,
        idf=_idf(by_item.start, len(by_session.at)),
        popular=popular,
        popular_order=_descending(popular),
        trending=trending,
        trending_order=_descending(trending, popular),
        published_at=published_at,
        new_order=_descending(published_at, popular),
        category=catalogue.category,
        category_start=category_start,
        category_items=category_items,
        basket_start=basket.start,
        basket_items=basket.items,
        basket_weights=basket.weights,
        similar_start=similar.start,
        similar_items=similar.items,
        similar_weights=similar.weights,
        similar_viewed=viewed,
        vector_place=embedding.place,
        vectors=embedding.vectors,
        near_start=embedding.near.start,
        near_items=embedding.near.items,
    )


def _basket(by_session: BySession, count: int, parameters: Parameters) -> ItemWeights:
    """Learnt from what was bought together, or met together where nothing was bought."""
    bought = sessions.only(by_session, PURCHASE)
    baskets = bought if len(bought.items) else by_session
    return linear.basket_weights(baskets, sessions.invert(baskets, count), parameters.basket)


def _idf(item_start: NDArray[np.int64], session_count: int) -> NDArray[np.float32]:
    frequency = np.maximum(np.diff(item_start), 1)
    return np.log1p(max(session_count, 1) / frequency).astype(np.float32)


def _popularity(
    counted: Counted, count: int, parameters: Parameters, now: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sessions that chose each item, weighted by the strongest event; and the same, decayed."""
    by_session, alone = counted.by_session, counted.alone
    strongest = np.floor(np.log2(by_session.kinds)).astype(np.int64)
    items = np.concatenate([by_session.items, alone.item])
    at = np.concatenate([np.repeat(by_session.at, np.diff(by_session.start)), alone.at])
    weights = POPULARITY_WEIGHTS[np.concatenate([strongest, alone.event_type])]
    half_lives = np.maximum(now - at, 0) / DAY_SECONDS / parameters.trending_half_life_days
    popular = np.bincount(items, weights, count)
    trending = np.bincount(items, weights * np.exp2(-half_lives), count)
    return popular.astype(np.float32), trending.astype(np.float32)


def _by_category(
    category: NDArray[np.int32], popular: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    known = np.flatnonzero(category >= 0)
    order = known[np.lexsort((known, -popular[known], category[known]))]
    counts = np.bincount(category[known], minlength=0)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), order.astype(np.int32)


def _descending(*keys: NDArray[np.floating]) -> NDArray[np.int32]:
    return np.lexsort([-key for key in reversed(keys)]).astype(np.int32)
