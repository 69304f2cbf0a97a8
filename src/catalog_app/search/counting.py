"""Counts of products by what they have: facets of a list, and the tree of categories."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog_app import money
from catalog_app.search.columns import GONE
from catalog_app.search.index import AVAILABILITY, SEPARATOR, Index

Rows = NDArray[np.int64]


def facets(
    index: Index, rows: Rows, *, categories: Sequence[str], values: int
) -> dict[str, list[dict[str, Any]]]:
    """The facets of these rows: at most `values` of each."""
    return {
        "category": _by_category(index, rows, categories)[:values],
        "brand": _by_brand(index, rows)[:values],
        "price_band": _by_price_band(index, rows)[:values],
        "availability": _by_availability(index, rows),
    }


def tree(index: Index) -> list[dict[str, Any]]:
    """All categories that hold products, each with its children, ordered by name."""
    counts = _category_counts(index, np.flatnonzero(index.live.values))
    roots: list[dict[str, Any]] = []
    nodes: dict[str, dict[str, Any]] = {}
    for path, count in sorted(_counted(index.category_list.texts, counts)):
        parent, _, name = path.rpartition(SEPARATOR)
        node = {"path": path, "name": name, "count": count, "children": []}
        nodes[path] = node
        (nodes[parent]["children"] if parent else roots).append(node)
    return roots


def _category_counts(index: Index, rows: Rows) -> Rows:
    chosen = np.zeros(len(index.ids), np.bool_)
    chosen[rows] = True
    codes = index.categories.code[chosen[index.categories.row]]
    return _counts(codes, len(index.category_list))


def _counts(codes: NDArray[Any], length: int) -> Rows:
    return np.bincount(codes[codes != GONE], minlength=length)


def _counted(texts: Sequence[str], counts: Rows) -> list[tuple[str, int]]:
    return [(texts[code], int(counts[code])) for code in np.flatnonzero(counts).tolist()]


def _largest_first(texts: Sequence[str], counts: Rows) -> list[tuple[str, int]]:
    return sorted(_counted(texts, counts), key=lambda entry: (-entry[1], entry[0]))


def _by_category(index: Index, rows: Rows, asked: Sequence[str]) -> list[dict[str, Any]]:
    counts = _category_counts(index, rows)
    found = []
    for path, count in _largest_first(index.category_list.texts, counts):
        parent, _, name = path.rpartition(SEPARATOR)
        if parent in asked or not (parent or asked):
            found.append({"path": path, "name": name, "count": count})
    return found


def _by_brand(index: Index, rows: Rows) -> list[dict[str, Any]]:
    counts = _counts(index.brand.values[rows], len(index.brand_list))
    return [
        {"brand": brand, "count": count}
        for brand, count in _largest_first(index.brand_list.texts, counts)
    ]


def _by_price_band(index: Index, rows: Rows) -> list[dict[str, Any]]:
    """From the cheapest to the dearest."""
    counts = _counts(index.band.values[rows], len(money.BAND_STARTS))
    found = []
    for place in np.flatnonzero(counts).tolist():
        lowest, highest = (money.plain(start) for start in money.BAND_STARTS[place : place + 2])
        found.append(
            {
                "price_band": f"{lowest}-{highest}",
                "price_min": lowest,
                "price_max": highest,
                "count": int(counts[place]),
            }
        )
    return found


def _by_availability(index: Index, rows: Rows) -> list[dict[str, Any]]:
    counts = _counts(index.availability.values[rows], len(AVAILABILITY))
    return [
        {"availability": name, "count": int(count)}
        for name, count in zip(AVAILABILITY, counts, strict=True)
        if count
    ]
