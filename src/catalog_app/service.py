"""Use cases of the catalogue that decide something."""

from collections.abc import Sequence
from typing import Any

from catalog_app import cursors, money
from catalog_app.cards import Cards
from catalog_app.contracts import FACET_VALUES
from catalog_app.contracts_internal import PRODUCTS_PER_UPSERT, ProductGiven
from catalog_app.documents import to_document
from catalog_app.live import LiveIndex
from catalog_app.queries import ListQuery
from catalog_app.search.index import SEPARATOR
from catalog_app.search.listing import PageWanted
from catalog_app.search.matching import Wanted
from catalog_app.store import Store

Wire = dict[str, Any]


async def batch(*, cards: Cards, ids: Sequence[str]) -> Wire:
    """These products, each once and in this order. Raises: store.Unavailable."""
    asked = list(dict.fromkeys(ids))
    found = await cards.of(asked)
    return {
        "products": list(found.values()),
        "missing_ids": [each for each in asked if each not in found],
    }


async def product_list(*, cards: Cards, live: LiveIndex, query: ListQuery) -> Wire:
    """One page of what matches: found in the index, read by id.

    Raises: cursors.Foreign, live.NotRead, store.Unavailable.
    """
    wanted = _wanted(query)
    sort = _sort(query)
    after = cursors.decode(query.cursor, wanted=wanted, sort=sort) if query.cursor else None
    page = await live.page(PageWanted(wanted, sort, query.limit, after, FACET_VALUES))
    found = await cards.of(page.ids)
    following = cursors.encode(page.next, wanted=wanted, sort=sort) if page.next else None
    return {
        # One that was withdrawn in the moment between is left out; the next page is as it was.
        "products": list(found.values()),
        "total": page.total,
        "facets": page.facets,
        "next": following,
    }


async def upsert(*, store: Store, live: LiveIndex, products: Sequence[ProductGiven]) -> Wire:
    """Bring products to these states where they are newer. Raises: store.Unavailable."""
    applied = await store.upsert([to_document(product) for product in products])
    if applied:
        live.nudge()
    return {"applied": applied, "stale": len(products) - applied}


async def withdraw_leftovers(*, store: Store, live: LiveIndex, generation: int) -> Wire:
    """Withdraw some of what a rebuild did not write.

    Raises: store.GenerationOver, store.Unavailable.
    """
    withdrawn = await store.withdraw_older(generation, limit=PRODUCTS_PER_UPSERT)
    if withdrawn:
        live.nudge()
    return {"withdrawn": withdrawn}


async def changes(*, store: Store, after: int, limit: int) -> Wire:
    """What changed after a number, oldest first. Raises: store.Unavailable."""
    changed = await store.changed(
        after=after, limit=limit, fields=("sequence", "version", "deleted")
    )
    return {
        "changes": [
            {
                "sequence": each["sequence"],
                "id": each["_id"],
                "version": each["version"],
                "deleted": each["deleted"],
            }
            for each in changed.documents
        ],
        "next": changed.next,
    }


def _wanted(query: ListQuery) -> Wanted:
    return Wanted(
        text=query.q.strip(),
        categories=tuple(sorted({_tidy(path) for path in query.category})),
        brands=tuple(sorted(set(query.brand))),
        price_min=money.units(query.price_min) if query.price_min else None,
        price_max=money.units(query.price_max) if query.price_max else None,
        in_stock=query.in_stock,
    )


def _sort(query: ListQuery) -> str:
    """There is nothing to be relevant to without words."""
    if query.sort and not (query.sort == "relevance" and not query.q.strip()):
        return query.sort
    return "relevance" if query.q.strip() else "newest"


def _tidy(path: str) -> str:
    return SEPARATOR.join(part.strip() for part in path.split(">"))
