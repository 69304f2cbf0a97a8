"""What can be sold: columns over the item index, growing with products newer than the release.

Positions below the release's item count are the release's own; later ones were added since.
A shelf never changes: an update makes a new one, which shares the lists that only grow.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import repeat
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from reco_app.serving import variants
from reco_app.serving.codes import CategorySets, Codes
from reco_app.serving.variants import Variants

MOST_MATCHES = 256  # categories whose positions are kept at hand; requests may name any


class ShelfProduct(msgspec.Struct, frozen=True):
    """The fields of a product on the wire that decide whether and where it may appear."""

    id: str
    version: int = 0
    deleted: bool = False
    brand: str | None = None
    categories: tuple[str, ...] = ()
    price: str | None = None
    sale_price: str | None = None
    availability: str = "in_stock"
    item_group_id: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """One row for each of N positions."""

    offered: NDArray[np.uint8]
    """1: in the catalogue, neither hidden nor retired."""
    in_stock: NDArray[np.uint8]
    """1: can be ordered now, a pre-order too."""
    price: NDArray[np.float64]
    """What a shopper pays: the sale price if there is one; NaN where unknown."""
    brand: NDArray[np.int32]
    categories: NDArray[np.int32]
    """Number of the product's whole set of category paths; products share few such sets."""
    group: NDArray[np.int32]
    """Number of the group of variants; -1 for a product without variants."""
    published_at: NDArray[np.float64]
    """Seconds since 1970; 0 where unknown."""

    def grown(self, size: int) -> "Columns":
        """A copy with `size` rows, the new ones empty."""
        extra = size - len(self.offered)
        blank = _blank(extra)
        return Columns(
            *(
                np.concatenate([getattr(self, name), getattr(blank, name)])
                for name in Columns.__slots__
            )
        )

    def at(self, rows: NDArray[np.int64]) -> "Columns":
        """The given rows in the given order; row -1 is an empty one."""
        grown = self.grown(len(self.offered) + 1)
        return Columns(*(getattr(grown, name)[rows] for name in Columns.__slots__))


@dataclass(frozen=True, slots=True)
class Shelf:
    """`version` is the curation version up to which every change is on it."""

    version: int
    items: Codes
    columns: Columns
    variants: Variants
    brands: Codes = field(default_factory=Codes)
    category_sets: CategorySets = field(default_factory=CategorySets)
    groups: Codes = field(default_factory=Codes)
    _matches: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.columns.offered)

    @property
    def has_variants(self) -> bool:
        """Whether any product is in a group."""
        return bool(len(self.variants.positions))

    def position(self, item_id: str) -> int:
        """The position of a product, or -1; later shelves may know more than this one."""
        found = self.items.find(item_id)
        return found if found < len(self.columns.offered) else -1

    def places(self, item_ids: Iterable[str]) -> list[int]:
        """The position of each, or -1; one from `size` on is of a later shelf."""
        return list(map(self.items.numbers.get, item_ids, repeat(-1)))

    def item_id(self, position: int) -> str:
        return self.items.names[position]  # type: ignore[no-any-return]  # ids are text

    def item_ids(self, positions: Iterable[int]) -> list[str]:
        names = self.items.names
        return [names[position] for position in positions]

    def paths(self, position: int) -> tuple[str, ...]:
        """The category paths of one product."""
        number = int(self.columns.categories[position])
        return self.category_sets.names[number] if number >= 0 else ()

    def variants_of(self, positions: Sequence[int]) -> NDArray[np.int64]:
        """All members of the groups that these positions are in."""
        if not self.has_variants or not positions:
            return self.variants.positions[:0]
        return self.variants.members(self.columns.group[positions])

    def in_category(self, path: str) -> NDArray[np.bool_]:
        """Which positions lie in a category or below it."""
        inside = self._matches.get(path)
        if inside is None:
            inside = self.in_categories([path])
            if self.category_sets.knows(path) and len(self._matches) < MOST_MATCHES:
                self._matches[path] = inside
        return inside

    def in_categories(self, paths: Iterable[str]) -> NDArray[np.bool_]:
        """Which positions lie in any of these categories or below it."""
        return self.category_sets.within(paths)[self.columns.categories]

    def with_products(self, products: Iterable[ShelfProduct], *, version: int) -> "Shelf":
        """The shelf after these changes; the latest state of a product wins."""
        changed = list(products)
        rows = [self.items.number(product.id) for product in changed]
        columns = self.columns.grown(max(self.size, len(self.items.names)))
        for row, product in zip(rows, changed, strict=True):
            self._put(columns, row, product)
        return replace(self, version=version, **_over(columns))

    def reordered(self, item_ids: Sequence[str]) -> "Shelf":
        """The same products over another item index: these ids first, then all others."""
        given = Codes(item_ids)
        own = self.items.names[: self.size]
        others = np.flatnonzero(given.find_all(own) < 0).tolist()
        items = Codes([*given.names, *(own[place] for place in others)]) if others else given
        rows = self.items.find_all(items.names)
        rows[rows >= self.size] = -1  # later shelves know more than this one
        return replace(self, items=items, **_over(self.columns.at(rows)))

    def _put(self, columns: Columns, row: int, product: ShelfProduct) -> None:
        columns.offered[row] = not product.deleted
        if product.deleted:
            return
        price = product.sale_price or product.price
        published_at = product.published_at
        columns.in_stock[row] = product.availability != "out_of_stock"
        columns.price[row] = float(price) if price else np.nan
        columns.brand[row] = self.brands.number(product.brand) if product.brand else -1
        columns.categories[row] = self.category_sets.number(product.categories)
        columns.group[row] = (
            self.groups.number(product.item_group_id) if product.item_group_id else -1
        )
        columns.published_at[row] = published_at.timestamp() if published_at else 0.0


def empty(item_ids: Sequence[str] = ()) -> Shelf:
    """A shelf over a release's items on which no product stands yet."""
    columns = _blank(len(item_ids))
    return Shelf(0, Codes(item_ids), columns, variants.of(columns.group))


def _over(columns: Columns) -> dict[str, Any]:
    """The fields of a shelf that are made from its columns."""
    return {"columns": columns, "variants": variants.of(columns.group), "_matches": {}}


def _blank(size: int) -> Columns:
    return Columns(
        offered=np.zeros(size, np.uint8),
        in_stock=np.zeros(size, np.uint8),
        price=np.full(size, np.nan),
        brand=np.full(size, -1, np.int32),
        categories=np.full(size, -1, np.int32),
        group=np.full(size, -1, np.int32),
        published_at=np.zeros(size),
    )
