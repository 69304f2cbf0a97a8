"""One page of a list of products: what matches, in order, with counts over all of it."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog_app.search import counting
from catalog_app.search.columns import GONE
from catalog_app.search.index import Index
from catalog_app.search.matching import Wanted, matching
from catalog_app.search.ordering import Orders, Place

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PageWanted:
    wanted: Wanted
    sort: str
    limit: int
    after: Place | None
    facet_values: int


class Page(NamedTuple):
    ids: list[str]
    total: int
    facets: dict[str, list[dict[str, Any]]] | None
    next: Place | None


def page(index: Index, orders: Orders, asked: PageWanted) -> Page:
    """The page behind `asked.after`; facets come with the first page only."""
    rows, scores = matching(index, asked.wanted)
    facets = None
    if asked.after is None:
        facets = counting.facets(
            index, rows, categories=asked.wanted.categories, values=asked.facet_values
        )
    ranks = orders.ranks(asked.sort, rows, scores)
    first_of_groups = _first_of_each_group(index.group.values[rows], ranks)
    rows, scores, ranks = rows[first_of_groups], scores[first_of_groups], ranks[first_of_groups]
    start = orders.after(asked.sort, asked.after) if asked.after else None
    chosen = _lowest(ranks, start=start, count=asked.limit + 1)
    shown = chosen[: asked.limit]
    more = len(chosen) > asked.limit
    last = shown[-1] if more else None
    return Page(
        ids=[index.ids[row] for row in rows[shown]],
        total=len(rows),
        facets=facets,
        next=None if last is None else orders.place(asked.sort, rows[last], int(scores[last])),
    )


def _lowest(ranks: Rows, *, start: int | None, count: int) -> Rows:
    """Where the `count` lowest ranks from `start` on stand, lowest first."""
    places = np.arange(len(ranks)) if start is None else np.flatnonzero(ranks >= start)
    remaining = ranks[places]
    if len(places) > count:
        nearest = np.argpartition(remaining, count - 1)[:count]
        places, remaining = places[nearest], remaining[nearest]
    return places[np.argsort(remaining)]


def _first_of_each_group(groups: NDArray[np.int32], ranks: Rows) -> Rows:
    """Where the products stand that a list shows: of variants, the one that comes first."""
    alone = np.flatnonzero(groups == GONE)
    if len(alone) == len(groups):
        return alone
    grouped = np.flatnonzero(groups != GONE)
    in_order = grouped[np.argsort(ranks[grouped])]
    _, first = np.unique(groups[in_order], return_index=True)
    return np.concatenate((alone, in_order[first]))
