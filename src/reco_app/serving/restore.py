"""The shelf as a release remembers it: for a start without PostgreSQL."""

import numpy as np
from numpy.typing import NDArray

from reco_app.engine.model import Model
from reco_app.serving import shelf
from reco_app.training.snapshot import AVAILABILITY, Snapshot

OUT = (AVAILABILITY.index("unknown"), AVAILABILITY.index("out_of_stock"))


def restored(model: Model, snapshot: Snapshot) -> shelf.Shelf:
    """A shelf over the release's items, holding what its snapshot holds."""
    brands, groups, category_sets = shelf.Codes(), shelf.Codes(), shelf.Codes()
    for codes, name in ((brands, "brands"), (groups, "groups")):
        for entry in snapshot.vocabulary[name]:
            codes.number(entry)
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
        items=shelf.empty(model.item_ids).items,
        columns=columns,
        brands=brands,
        category_sets=category_sets,
        groups=groups,
    )


def _set_numbers(snapshot: Snapshot, category_sets: shelf.Codes) -> NDArray[np.int32]:
    paths: list[str] = snapshot.vocabulary["categories"]
    starts, places = snapshot.category_start.tolist(), snapshot.categories.tolist()
    return np.array(
        [
            category_sets.number(tuple(paths[place] for place in places[start:end]))
            for start, end in zip(starts, starts[1:], strict=False)
        ],
        np.int32,
    )
