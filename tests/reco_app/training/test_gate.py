import numpy as np
import pytest

from reco_app.engine.index import Log, uncatalogued
from reco_app.engine.parameters import Parameters
from reco_app.training import dataset, gate
from reco_app.training.dataset import Held

ITEMS = 200
CATALOGUE = uncatalogued(ITEMS)


def sessions_of(items: np.ndarray) -> Log:
    """Each row is a session, one second a view, one minute a session."""
    count, length = items.shape
    session = np.repeat(np.arange(count), length)
    at = session * 60.0 + np.tile(np.arange(length), count)
    return Log(session, items.ravel().astype(np.int32), np.zeros(count * length, np.uint8), at)


def held_of(log: Log) -> Held:
    run, items = dataset.in_memory(log), np.arange(ITEMS, dtype=np.int32)
    began_us = dataset.whole(run, items).began_us
    return dataset.held_out(run, items, began_us, part=gate.HELD_OUT)


def test_what_is_seen_together_passes() -> None:
    first = np.arange(2000) % (ITEMS // 2)
    log = sessions_of(np.stack([first, first + ITEMS // 2], axis=1))

    verdict = gate.judge(held_of(log), CATALOGUE, Parameters(), tuned=False)

    assert verdict.passed
    assert verdict.measures["recall_at_20"] > 0.95
    assert verdict.measures["popularity.recall_at_20"] < 0.3


def test_a_model_of_yesterdays_pairs_is_refused_when_today_only_the_popular_sells() -> None:
    old = np.arange(1800) % 80
    together = np.stack([old + 20, 100 + old], axis=1)
    fads = np.stack([np.arange(1800) % 20, (np.arange(1800) + 7) % 20], axis=1)
    new = np.stack([20 + np.arange(200) % 80, np.arange(200) % 20], axis=1)
    log = sessions_of(np.concatenate([together, fads, new]))

    verdict = gate.judge(held_of(log), CATALOGUE, Parameters(), tuned=False)

    assert verdict.measures["popularity.recall_at_20"] == 1.0
    assert not verdict.passed


def test_too_few_sessions_pass_and_say_so() -> None:
    verdict = gate.judge(
        held_of(sessions_of(np.array([[1, 2], [2, 3]]))), CATALOGUE, Parameters(), tuned=False
    )

    assert verdict.passed
    assert "too few to tell" in verdict.note


def test_no_sessions_pass_and_say_so() -> None:
    alone = Log(
        np.full(3, -1, np.int64), np.arange(3, dtype=np.int32), np.zeros(3, np.uint8), np.ones(3)
    )

    assert (
        gate.judge(held_of(alone), CATALOGUE, Parameters(), tuned=False).note
        == "no sessions to measure with yet"
    )


def test_with_many_sessions_the_parameters_are_tuned_on_others_than_those_judged_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "TRIALS", 3)
    first = np.arange(5000) % (ITEMS // 2)
    log = sessions_of(np.stack([first, first + ITEMS // 2], axis=1))

    measures = gate.judge(held_of(log), CATALOGUE, Parameters(), tuned=True).measures

    assert (measures["cases"], measures["tuning.cases"]) == (250, 250)
