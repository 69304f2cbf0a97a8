"""Which departments the shop has, as far as this process knows its catalogue."""

import numpy as np

from reco_app.serving import live
from reco_app.serving.shelf import PATH_SEPARATOR


def exists(address: str) -> bool:
    """Whether anything is offered in or below a department, its names joined by slashes.

    Every department exists while nothing at all is known of the catalogue.
    """
    shelf = live.current().shelf
    offered = shelf.columns.categories[shelf.columns.offered == 1]
    within = [
        number
        for number, paths in enumerate(list(shelf.category_sets.names))
        if any(f"{path.replace(PATH_SEPARATOR, '/')}/".startswith(f"{address}/") for path in paths)
    ]
    return not len(offered) or bool(np.isin(offered, within).any())
