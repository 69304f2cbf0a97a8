"""Small logs whose answers are known, and random ones."""

from collections.abc import Sequence

import numpy as np

from reco_app.engine.content import undescribed
from reco_app.engine.index import EVENT_TYPES, Catalogue, Index, Log, build
from reco_app.engine.model import Model
from reco_app.engine.parameters import Parameters
from reco_app.engine.sessions import BySession
from reco_app.training import dataset

NOW = 1_700_000_000.0
HOUR = 3600.0


def log_of(
    sessions: Sequence[Sequence[int]], *, event_type: str = "view", apart_seconds: float = 60.0
) -> Log:
    """Sessions of items, an hour between sessions, the last one just before NOW."""
    rows = [
        (number, item, NOW - HOUR * (len(sessions) - number) + apart_seconds * place)
        for number, items in enumerate(sessions)
        for place, item in enumerate(items)
    ]
    return Log(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int32),
        np.full(len(rows), EVENT_TYPES.index(event_type), np.uint8),
        np.array([row[2] for row in rows], np.float64),
    )


def catalogue_of(count: int, *, categories: int = 3) -> Catalogue:
    category = np.arange(count, dtype=np.int32) % categories
    return Catalogue(category, np.zeros(count), undescribed(count))


def random_log(seed: int, *, sessions: int, items: int) -> Log:
    rng = np.random.default_rng(seed)
    events = sessions * 4
    return Log(
        rng.integers(-1, sessions, events).astype(np.int64),
        (items * rng.random(events) ** 2).astype(np.int32),
        rng.integers(0, len(EVENT_TYPES), events).astype(np.uint8),
        NOW - rng.integers(0, 30 * 24 * 60, events) * 60.0,
    )


def sessions_of(log: Log) -> BySession:
    return dataset.counted(log, int(log.item.max(initial=-1)) + 1).by_session


def model_of(
    log: Log, count: int, parameters: Parameters | None = None, *, categories: int = 3
) -> Model:
    parameters = parameters or Parameters()
    catalogue = catalogue_of(count, categories=categories)
    index = build(dataset.counted(log, count), catalogue, parameters, now=NOW)
    return Model(index, [f"item-{place}" for place in range(count)], parameters)


def same(left: Index, right: Index) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))
