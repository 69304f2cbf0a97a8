"""What was live before a training is in the release after it, each event once."""

import threading
from collections import Counter
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from django.db import connection, transaction

from reco_app.engine import release
from reco_app.engine.delta import LEAST_SESSIONS, Delta, Reader
from reco_app.engine.model import Model, open_release
from reco_app.events import days, importing, recent
from reco_app.events.rows import ImportedEvent
from reco_app.serving import newest
from reco_app.training import service
from tests.reco_app.training.conftest import NOW

Pair = tuple[str, str]


def trained(model_dir: Path) -> Model:
    version = service.train(now=NOW, report=lambda *_: None, tuning=False).version
    return open_release(release.release_path(model_dir, version))


def delta_of(model: Model) -> Delta:
    """As serving reads it."""
    held, cut = newest.Newest(), model.manifest["cut"]
    held.put(recent.since(cut, most=newest.MOST, now=NOW))
    columns = held.columns(model, lambda item_id: model.items.get(item_id, -1))
    return Reader(model).read(columns, cut=cut, since=NOW.timestamp(), position=held.position)


def counted(model: Model) -> Counter[Pair]:
    """In how many sessions of a release each two products were met."""
    index, counts = model.index, Counter()
    for first, last in zip(index.session_start[:-1], index.session_start[1:], strict=True):
        items = [model.item_ids[item] for item in index.session_items[first:last]]
        counts.update(permutations(items, 2))
    return counts


def newly_counted(model: Model, delta: Delta) -> dict[Pair, int]:
    """The same of a delta."""
    pairs = delta.pairs
    owners = np.repeat(np.arange(len(model.item_ids)), np.diff(pairs.start))
    return {
        (model.item_ids[owner], model.item_ids[item]): count
        for owner, item, count in zip(owners, pairs.items, pairs.met.tolist(), strict=True)
    }


def visit(session: str, *items: str) -> None:
    importing.keep(
        [
            ImportedEvent(
                session_id=session,
                item_id=item_id,
                occurred_at=NOW - timedelta(seconds=60 - step),
                day=NOW.date(),
                event_type="view",
                quantity=1,
                price=None,
            )
            for step, item_id in enumerate(items)
        ]
    )


def test_a_training_folds_in_what_was_live_before_and_counts_nothing_twice(shop, model_dir):
    shop()
    visit("on both sides", "p00", "p01")
    before = trained(model_dir)
    shop(200, name="t")
    visit("on both sides", "p00", "p01", "p02")
    for number in range(4):
        visit(f"new {number}", "p03", "p04")
    for number in range(2):
        visit(f"newer {number}", "p03", "p05")
    delta = delta_of(before)

    after = trained(model_dir)

    was, live, now = counted(before), newly_counted(before, delta), counted(after)
    assert live["p03", "p04"] == 4
    assert ("p03", "p05") not in live
    assert len(live) > 100
    for pair in now:
        grown = now[pair] - was[pair]
        served = was[pair] > 0 or grown >= LEAST_SESSIONS
        assert live.get(pair, 0) == (grown if served else 0), pair
    assert np.array_equal(before.index.popular + delta.popular, after.index.popular)
    left = delta_of(after)
    assert not len(left.pairs.items)
    assert not left.popular.any()


@pytest.mark.django_db(transaction=True)
def test_a_cut_waits_for_what_is_being_stored():
    """An event that has its number, and is not there yet, is on no wrong side."""
    cuts: list[int] = []

    def cut() -> None:
        cuts.append(days.cut())
        connection.close()

    waiting = threading.Thread(target=cut)
    with transaction.atomic():
        visit("still on its way", "p00")
        number = days.newest()
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join(10)

    assert cuts == [number]
