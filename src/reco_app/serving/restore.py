"""The shelf as a release remembers it: for a start without PostgreSQL."""

import numpy as np
from numpy.typing import NDArray

from reco_app.engine.model import Model
from reco_app.serving import shelf, variants
from reco_app.serving.codes import CategorySets, Codes
from reco_app.training.snapshot import AVAILABILITY, Snapshot

OUT = (AVAILABILITY.index("unknown"), AVAILABILITY.index("out_of_stock"))


def restored(model: Model, snapshot: Snapshot) -> shelf.Shelf:
    """A shelf over the release's items, holding what its snapshot holds."""
    brands, groups = (Codes(snapshot.vocabulary[name]) for name in ("brands", "groups"))
    category_sets = CategorySets()
    # Copies, not views of the mapped file: a mapped array is slower to take parts of.
    price = np.array(snapshot.price, np.float64)
    columns = shelf.Columns(
        offered=np.array(snapshot.visible, np.uint8),
        in_stock=np.array(~np.isin(snapshot.availability, OUT), np.uint8),
        price=np.where(price < 0, np.nan, price / 100),
        brand=np.array(snapshot.brand, np.int32),
        categories=_set_numbers(snapshot, category_sets),
        group=np.array(snapshot.group, np.int32),
        published_at=np.array(snapshot.published_at, np.float64),
    )
    return shelf.Shelf(
        version=snapshot.version,
        items=Codes(model.item_ids),
        columns=columns,
        variants=variants.of(columns.group),
        brands=brands,
        category_sets=category_sets,
        groups=groups,
    )


def _set_numbers(snapshot: Snapshot, category_sets: CategorySets) -> NDArray[np.int32]:
    """Most products are in one category: those are numbered by category, the others one by one."""
    paths: list[str] = snapshot.vocabulary["categories"]
    start, places = snapshot.category_start, snapshot.categories
    lengths = np.diff(start)
    numbers = np.full(len(lengths), category_sets.number(()), np.int32)
    single = lengths == 1
    distinct, which = np.unique(places[start[:-1][single]], return_inverse=True)
    numbered = [category_sets.number((paths[place],)) for place in distinct]
    numbers[single] = np.array(numbered, np.int32)[which]
    for row in np.flatnonzero(lengths > 1).tolist():
        held = places[start[row] : start[row + 1]].tolist()
        numbers[row] = category_sets.number(tuple(paths[place] for place in held))
    return numbers
