"""How much a preference profile likes each product: a non-personal taste, leaning the scores."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from reco_app.engine.bands import price_band
from reco_app.serving.codes import upward
from reco_app.serving.shelf import Shelf

STRENGTH = 1.0  # what a profile likes best counts up to twice as much


class Weights(Struct, frozen=True):
    """Likings of any scale; within each of the three the largest counts as 1."""

    category: dict[str, float] = {}
    brand: dict[str, float] = {}
    price_band: dict[str, float] = {}


class Profile(Struct, frozen=True):
    slug: str
    version: int
    weights: Weights


def factors(profile: Profile, positions: NDArray[np.int32], shelf: Shelf) -> NDArray[np.float64]:
    """What the profile multiplies each position's score by: 1 to 1 + STRENGTH."""
    weights = profile.weights
    likings = [
        _by_category(weights.category, positions, shelf),
        _by_brand(weights.brand, positions, shelf),
        _by_price_band(weights.price_band, positions, shelf),
    ]
    told = [liking for liking in likings if liking is not None]
    if not told:
        return np.ones(len(positions))
    return np.asarray(1.0 + STRENGTH * np.mean(told, axis=0), np.float64)


def _by_category(
    weights: dict[str, float], positions: NDArray[np.int32], shelf: Shelf
) -> NDArray[np.float64] | None:
    if not (scaled := _scaled(weights)):
        return None
    numbers, places = np.unique(shelf.columns.categories[positions], return_inverse=True)
    sets = [shelf.category_sets.names[number] if number >= 0 else () for number in numbers]
    return np.array([_best_of(paths, scaled) for paths in sets], np.float64)[places]


def _best_of(paths: tuple[str, ...], weights: dict[str, float]) -> float:
    """The largest weight of any of the paths or of a category above one of them."""
    return max((weights.get(path, 0.0) for own in paths for path in upward(own)), default=0.0)


def _by_brand(
    weights: dict[str, float], positions: NDArray[np.int32], shelf: Shelf
) -> NDArray[np.float64] | None:
    if not (scaled := _scaled(weights)):
        return None
    numbers = shelf.columns.brand[positions]
    names = [shelf.brands.names[number] if number >= 0 else "" for number in numbers]
    return np.array([scaled.get(name, 0.0) for name in names], np.float64)


def _by_price_band(
    weights: dict[str, float], positions: NDArray[np.int32], shelf: Shelf
) -> NDArray[np.float64] | None:
    if not (scaled := _scaled(weights)):
        return None
    prices = shelf.columns.price[positions].tolist()
    bands = ["" if price != price else price_band(price) for price in prices]
    return np.array([scaled.get(band, 0.0) for band in bands], np.float64)


def _scaled(weights: dict[str, float]) -> dict[str, float]:
    largest = max(weights.values(), default=0.0)
    return {name: weight / largest for name, weight in weights.items()} if largest > 0 else {}
