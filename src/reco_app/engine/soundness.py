"""Whether the arrays of an index agree with one another: the kernels do not look again."""

from collections.abc import Iterator
from typing import Any, NamedTuple, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from reco_app.engine.index import Index

ITEMS, SESSIONS = "items", "sessions"


class Unsound(ValueError):
    """An array contradicts another; the message names it."""


class _Lists(NamedTuple):
    """One list for each row: `start` cuts the columns, the first of which numbers `within`."""

    start: str
    columns: tuple[str, ...]
    rows: str | None
    within: str


LISTS = (
    _Lists("session_start", ("session_items", "session_positions"), SESSIONS, ITEMS),
    _Lists("item_start", ("item_sessions", "item_kinds"), ITEMS, SESSIONS),
    _Lists("category_start", ("category_items",), None, ITEMS),
    _Lists("basket_start", ("basket_items", "basket_weights"), ITEMS, ITEMS),
    _Lists("similar_start", ("similar_items", "similar_weights", "similar_viewed"), ITEMS, ITEMS),
    _Lists("near_start", ("near_items",), ITEMS, ITEMS),
)
ORDERS = ("popular_order", "trending_order", "new_order")
OF_ITEMS = (*ORDERS, "idf", "popular", "trending", "published_at", "category", "vector_place")


def _scalar(hint: Any) -> Any:
    """The type of an array's numbers: the innermost argument, however NDArray is made."""
    arguments = get_args(hint)
    return _scalar(arguments[-1]) if arguments else hint


KINDS = {name: _scalar(hint) for name, hint in get_type_hints(Index).items()}


def require_fitting(index: Index, item_count: int) -> None:
    """Types and lengths alone: it takes microseconds. Raises Unsound."""
    for name, kind in KINDS.items():
        array = getattr(index, name)
        if array.dtype != kind or array.ndim != (2 if name == "vectors" else 1):
            raise Unsound(f"{name} is of another type than the program reads")
    counts = {ITEMS: item_count, SESSIONS: len(index.session_at)}
    for name in OF_ITEMS:
        if len(getattr(index, name)) != item_count:
            raise Unsound(f"{name} is not as long as the list of items")
    for start, columns, rows, _ in LISTS:
        bounds = getattr(index, start)
        if not len(bounds) or (rows and len(bounds) != counts[rows] + 1):
            raise Unsound(f"{start} has not one entry for each row")
        ends = {int(bounds[-1]), *(len(getattr(index, column)) for column in columns)}
        if bounds[0] != 0 or len(ends) != 1:
            raise Unsound(f"{start} does not end where {columns[0]} does")


def require_sound(index: Index, item_count: int) -> None:
    """Every entry; reads all arrays. Raises Unsound."""
    require_fitting(index, item_count)
    counts = {ITEMS: item_count, SESSIONS: len(index.session_at)}
    for name, numbers, limit in _numbers(index, counts):
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < limit:
            raise Unsound(f"{name} names what there is not")
    for start, *_ in LISTS:
        if (np.diff(getattr(index, start)) < 0).any():
            raise Unsound(f"{start} runs backwards")
    for name, array in index._asdict().items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise Unsound(f"{name} holds what is no number")


def _numbers(index: Index, counts: dict[str, int]) -> Iterator[tuple[str, NDArray[Any], int]]:
    """Arrays whose entries number something, and how much of it there is."""
    for _, columns, _, within in LISTS:
        yield columns[0], getattr(index, columns[0]), counts[within]
    for name in ORDERS:
        yield name, getattr(index, name), counts[ITEMS]
    places = index.vector_place
    yield "vector_place", places[places != -1], len(index.vectors)
