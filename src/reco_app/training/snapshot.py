"""The catalogue as a release keeps it: enough to filter and to show products without any store.

Files of a release, N items in the order of the release's item ids, catalogue products first:

    shelf.price.npy          int64[N]   what a shopper pays, hundredths of the currency; -1 unknown
    shelf.availability.npy   uint8[N]   place in AVAILABILITY; 0 for items the catalogue lacks
    shelf.visible.npy        uint8[N]   1 where the product may be shown at all
    shelf.brand.npy          int32[N]   place in vocabulary "brands"; -1 for none
    shelf.group.npy          int32[N]   place in vocabulary "groups"; -1 for none
    shelf.published_at.npy   int64[N]   seconds since 1970; 0 unknown
    shelf.category_start.npy int64[N+1] and shelf.categories.npy int32[…]: places in "categories"
    shelf.vocabulary.json    {"brands": […], "groups": […], "categories": […paths], "version": n}
    cards.start.npy          int64[N+1] and cards.bin: product i is the JSON in start[i]:start[i+1]

`version` is the curation clock read before the products were: what changed later has a higher one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from reco_app.curation.contracts import product_card
from reco_app.curation.models import Product

AVAILABILITY = ("unknown", "in_stock", "out_of_stock", "preorder")
COLUMNS = {
    "price": np.int64,
    "availability": np.uint8,
    "visible": np.uint8,
    "brand": np.int32,
    "group": np.int32,
    "published_at": np.int64,
}
ABSENT = (-1, 0, 0, -1, -1, 0)


class Snapshot(NamedTuple):
    """The files above, mapped into memory."""

    price: NDArray[np.int64]
    availability: NDArray[np.uint8]
    visible: NDArray[np.uint8]
    brand: NDArray[np.int32]
    group: NDArray[np.int32]
    published_at: NDArray[np.int64]
    category_start: NDArray[np.int64]
    categories: NDArray[np.int32]
    vocabulary: Mapping[str, Any]
    card_start: NDArray[np.int64]
    cards: NDArray[np.uint8]

    @property
    def version(self) -> int:
        """The curation version up to which every change is in it."""
        return int(self.vocabulary["version"])

    def card(self, item: int) -> bytes:
        """The product's JSON as it crosses the wire; empty for items the catalogue lacks."""
        return self.cards[self.card_start[item] : self.card_start[item + 1]].tobytes()


class _Vocabulary:
    """Numbers for names in order of first appearance; -1 is the empty name."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        return self.numbers.setdefault(name, len(self.numbers)) if name else -1


def write(
    folder: Path, products: Iterable[Product], *, also: Collection[str], version: int
) -> list[str]:
    """Write the files above; returns the ids: all products, then those of `also` that are none."""
    brands, groups, paths = _Vocabulary(), _Vocabulary(), _Vocabulary()
    item_ids: list[str] = []
    rows: list[tuple[int, ...]] = []
    categories: list[list[int]] = []
    card_lengths: list[int] = []
    with (folder / "cards.bin").open("wb") as cards:
        for product in products:
            item_ids.append(product.item_id)
            rows.append(_row(product, brands, groups))
            categories.append([paths.number(path) for path in product.categories])
            card_lengths.append(cards.write(orjson.dumps(product_card(product))))
    absent = sorted(set(also).difference(item_ids))
    rows += [ABSENT] * len(absent)
    table = np.array(rows, np.int64).reshape(-1, len(COLUMNS))
    for (name, kind), column in zip(COLUMNS.items(), table.T, strict=True):
        np.save(folder / f"shelf.{name}.npy", column.astype(kind))
    nothing = [0] * len(absent)
    np.save(folder / "cards.start.npy", _starts(card_lengths + nothing))
    np.save(folder / "shelf.category_start.npy", _starts([*map(len, categories), *nothing]))
    np.save(folder / "shelf.categories.npy", np.array([*chain(*categories)], np.int32))
    names = {"brands": brands, "groups": groups, "categories": paths}
    vocabulary = {key: list(one.numbers) for key, one in names.items()} | {"version": version}
    (folder / "shelf.vocabulary.json").write_bytes(orjson.dumps(vocabulary))
    return item_ids + absent


def read(folder: Path) -> Snapshot:
    """Map the files of a release; only the vocabularies are read into memory."""

    def mapped(name: str) -> NDArray[Any]:
        # A plain view: entries of numpy's own class for mapped arrays take many times as long.
        return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))

    cards = folder / "cards.bin"
    is_empty = cards.stat().st_size == 0  # an empty file cannot be mapped
    return Snapshot(
        **{name: mapped(f"shelf.{name}") for name in COLUMNS},
        category_start=mapped("shelf.category_start"),
        categories=mapped("shelf.categories"),
        vocabulary=orjson.loads((folder / "shelf.vocabulary.json").read_bytes()),
        card_start=mapped("cards.start"),
        cards=np.zeros(0, np.uint8) if is_empty else np.asarray(np.memmap(cards, mode="r")),
    )


def _row(product: Product, brands: _Vocabulary, groups: _Vocabulary) -> tuple[int, ...]:
    price = product.price if product.sale_price is None else product.sale_price
    return (
        int(price * 100),
        AVAILABILITY.index(product.availability),
        int(product.offered),
        brands.number(product.brand),
        groups.number(product.item_group_id),
        int(product.published_at.timestamp()),
    )


def _starts(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
