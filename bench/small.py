"""Small but whole releases, made by the code of training, whose answers are known."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from reco_app.engine import release
from reco_app.engine.content import undescribed
from reco_app.engine.index import Catalogue, Index, Log, build
from reco_app.engine.model import Model
from reco_app.engine.parameters import Parameters
from reco_app.engine.rank import SCENARIOS, ContextItem, rank
from reco_app.training import dataset, snapshot

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS, SESSIONS, ITEMS = 120, 30, 8
ITEM_IDS = [f"item-{place}" for place in range(ITEMS)]
PARAMETERS = Parameters()
MASK = np.ones(ITEMS, np.uint8)
Answers = list[list[int]]


def index(seed: int) -> Index:
    rng = np.random.default_rng(seed)
    log = Log(
        session=rng.integers(0, SESSIONS, EVENTS).astype(np.int64),
        item=(ITEMS * rng.random(EVENTS) ** 2).astype(np.int32),
        event_type=rng.integers(0, 4, EVENTS).astype(np.uint8),
        at=STARTED.timestamp() - rng.integers(0, 86_400, EVENTS),
    )
    catalogue = Catalogue(np.arange(ITEMS, dtype=np.int32) % 3, np.zeros(ITEMS), undescribed(ITEMS))
    counted = dataset.counted(log, ITEMS)
    return build(counted, catalogue, PARAMETERS, now=STARTED.timestamp())


def publish(model_dir: Path, made: Index, number: int) -> str:
    """Publish and make live, as at a training's end; returns the version."""
    staged = release.stage(model_dir)
    snapshot.write(staged, [], also=ITEM_IDS, version=0)
    release.save(staged, made, ITEM_IDS)
    version = release.publish(
        staged,
        model_dir,
        parameters=PARAMETERS,
        trained_at=STARTED + timedelta(seconds=number),
        details={"number": number},
    )
    release.set_live(model_dir, version)
    return version


def answers(model: Model) -> Answers:
    return [
        rank(model, [ContextItem(item)], scenario=name, mask=MASK, count=ITEMS).items.tolist()
        for name in SCENARIOS
        for item in range(3)
    ]
