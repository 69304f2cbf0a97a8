"""`python -m reco_app.engine.warming`: compile all kernels into numba's cache, ahead of need.

The first compilation takes many seconds of one core. An image does it when it is built, the demo
while it loads its data. A log of a few baskets reaches every kernel in the form that it is later
called with.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from reco_app.engine import release
from reco_app.engine.content import Features
from reco_app.engine.direct import warm
from reco_app.engine.index import PURCHASE, Catalogue, Index, build
from reco_app.engine.model import Model, open_release
from reco_app.engine.parameters import BasketNeighbourhood, Parameters
from reco_app.engine.sessions import Alone, BySession, Counted, invert

SESSIONS, ITEMS = 40, 12
PARAMETERS = Parameters()
ALIKE = Parameters(basket_neighbourhood=BasketNeighbourhood(weight=1.0))


def main() -> None:
    """Train on a few made-up sessions, rank as trained and as opened from a release."""
    index = _index()
    item_ids = [str(item) for item in range(ITEMS)]
    warm(Model(index, item_ids, PARAMETERS))
    bought = index._replace(item_kinds=np.full_like(index.item_kinds, PURCHASE))
    warm(Model(bought, item_ids, ALIKE))
    with tempfile.TemporaryDirectory() as made:
        model_dir = Path(made)
        folder = release.stage(model_dir)
        release.save(folder, index, item_ids)
        version = release.publish(
            folder,
            model_dir,
            parameters=PARAMETERS,
            trained_at=datetime.fromtimestamp(0, UTC),
            details={},
        )
        warm(open_release(release.release_path(model_dir, version)))


def _index() -> Index:
    """Sessions of three views or three purchases, of products with two features each."""
    event = np.arange(SESSIONS * 3)
    by_session = BySession(
        start=np.arange(0, len(event) + 1, 3),
        items=((event * 5 + event // 7) % ITEMS).astype(np.int32),
        positions=(event % 3).astype(np.int32),
        kinds=np.where(event // 3 % 2, 0b0001, 0b1000).astype(np.uint8),
        at=np.arange(SESSIONS, dtype=np.float64),
    )
    nothing = Alone(np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(0))
    counted = Counted(by_session, invert(by_session, ITEMS), nothing, np.zeros(ITEMS))
    described = Features(
        np.arange(0, 2 * ITEMS + 1, 2),
        np.column_stack([np.arange(ITEMS) % 4, np.full(ITEMS, 4)]).ravel().astype(np.int32),
        np.array([0, 0, 0, 0, 2], np.uint8),
    )
    catalogue = Catalogue(np.arange(ITEMS, dtype=np.int32) % 3, np.zeros(ITEMS), described)
    return build(counted, catalogue, PARAMETERS, now=float(by_session.at[-1]))


if __name__ == "__main__":
    main()
