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
    price = snapshot.price.astype(np.float64)
    columns = shelf.Columns(
        offered=snapshot.visible.astype(np.uint8),
        in_stock=(~np.isin(snapshot.availability, OUT)).astype(np.uint8),
        price=np.where(price < 0, np.nan, price / 100),
        brand=snapshot.brand.astype(np.int32),
        categories=_set_numbers(snapshot, category_sets),
        group=snapshot.group.astype(np.int32),
        published_at=snapshot.published_at.astype(np.float64),
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
