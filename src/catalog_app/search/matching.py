"""Which rows answer a query, and how well."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog_app.search.columns import GONE
from catalog_app.search.index import AVAILABILITY, Index
from catalog_app.search.words import words

OUT_OF_STOCK = AVAILABILITY.index("out_of_stock")
_WORDS_PER_QUERY = 10
_PER_POINT, _IN_STOCK_BONUS = 64, 32
# What a title can win is 10 x EXACT a word; a product whose id is asked for stands before all.
_ID_SCORE = 1 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of products is narrowed to: within a field OR, between fields AND.

    `price_min` and `price_max` are in money units and both included.
    """

    text: str = ""
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    price_min: int | None = None
    price_max: int | None = None
    in_stock: bool = False


def matching(index: Index, wanted: Wanted) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that answer `wanted`, in their order, and the score of each; shapes (matches,)."""
    mask = index.live.values.copy()
    if wanted.in_stock:
        mask &= index.availability.values != OUT_OF_STOCK
    if wanted.price_min is not None:
        mask &= index.price.values >= wanted.price_min
    if wanted.price_max is not None:
        mask &= index.price.values <= wanted.price_max
    if wanted.brands:
        codes = [index.brand_list.get(brand) for brand in wanted.brands]
        mask &= np.isin(index.brand.values, [code for code in codes if code is not None])
    if wanted.categories:
        mask &= _in_categories(index, wanted.categories)
    if not wanted.text:
        rows = np.flatnonzero(mask)
        return rows, np.zeros(len(rows), np.int64)
    scores = _scores(index, wanted.text)
    rows = np.flatnonzero(mask & (scores > 0))
    return rows, scores[rows]


def _in_categories(index: Index, paths: Sequence[str]) -> NDArray[np.bool_]:
    mask = np.zeros(len(index.ids), np.bool_)
    for path in paths:
        code = index.category_list.get(path)
        if code is not None:
            mask[index.categories.row[index.categories.code == code]] = True
    return mask


def _scores(index: Index, text: str) -> NDArray[np.int64]:
    """How well each row answers the text, shape (rows,); 0 where a word is not met.

    A score rests on the product and the text alone, not on how many other products there are,
    so that the pages of a list stay where they are while the catalogue changes.
    """
    asked = words(text)[:_WORDS_PER_QUERY]
    total = np.full(len(index.ids), bool(asked), np.int64)
    for place, word in enumerate(asked):
        last = place == len(asked) - 1
        near = index.word_list.beginning_with(word) if last else index.word_list.alike(word)
        points = _points(index, near)
        total = np.where((total > 0) & (points > 0), total + points * _PER_POINT, 0)
    found = total > 0
    total[found] += 32 - index.title_words.values[found]
    total[found & (index.availability.values != OUT_OF_STOCK)] += _IN_STOCK_BONUS
    row = index.rows.get(text.strip())
    if row is not None:
        total[row] += _ID_SCORE
    return total


def _points(index: Index, near: dict[int, int]) -> NDArray[np.int64]:
    """The best of weight x nearness over a row's words, shape (rows,)."""
    points = np.zeros(len(index.ids), np.int64)
    if len(near) == 1:  # most words have no relative: comparing is five times quicker
        ((code, nearness),) = near.items()
        hits = np.flatnonzero(index.words.code == code)
        points[index.words.row[hits]] = index.words.weight[hits].astype(np.int64) * nearness
        return points
    nearness_of = np.zeros(len(index.word_list) - GONE, np.uint8)  # the last is for GONE
    nearness_of[list(near)] = list(near.values())
    reached = nearness_of[index.words.code]
    hits = np.flatnonzero(reached)
    gained = reached[hits].astype(np.int64) * index.words.weight[hits]
    np.maximum.at(points, index.words.row[hits], gained)
    return points
