"""Which departments the shop has, as far as this process knows its catalogue."""

from functools import lru_cache

from reco_app.serving import live
from reco_app.serving.codes import PATH_SEPARATOR, CategorySets


def exists(address: str) -> bool:
    """Whether anything is offered in or below a department, its names joined by slashes.

    Every department exists while nothing at all is known of the catalogue.
    """
    shelf = live.current().shelf
    offered = shelf.columns.categories[shelf.columns.offered == 1]
    sets = shelf.category_sets
    paths = _paths_by_address(sets, len(sets.names)).get(address, ())
    return not len(offered) or bool(sets.within(paths)[offered].any())


@lru_cache(maxsize=1)
def _paths_by_address(sets: CategorySets, known: int) -> dict[str, list[str]]:
    """`known` tells when there are more; a name may hold a slash, so an address many paths."""
    found: dict[str, list[str]] = {}
    for path in sets.paths():
        found.setdefault(path.replace(PATH_SEPARATOR, "/"), []).append(path)
    return found
