from datetime import UTC, datetime

import numpy as np
import pytest

from reco_app.engine.index import Log, build, uncatalogued
from reco_app.engine.model import Model
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


def held_of(log: Log, *, seen_until: float = 0.0) -> Held:
    run, items = dataset.in_memory(log), np.arange(ITEMS, dtype=np.int32)
    began_us = dataset.whole(run, items).began_us
    return dataset.held_out(run, items, began_us, part=gate.HELD_OUT, seen_until=seen_until)


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


FIRST = np.arange(3000) % (ITEMS // 2)
PAIRS = np.stack([FIRST, FIRST + ITEMS // 2], axis=1)
GOOD = sessions_of(PAIRS)
# What the first 2,000 sessions taught is live; the last 300 are judged by.
BORDER = 2_000 * 60.0


def live_of(log: Log, *, recall: float = 1.0) -> gate.Live:
    """A release of what a log holds before BORDER, which found so much when it was judged."""
    before = log.at < BORDER
    older = Log(*(column[before] for column in log))
    index = build(dataset.counted(older, ITEMS), CATALOGUE, Parameters(), now=BORDER)
    span = [datetime.fromtimestamp(at, UTC).isoformat() for at in (0.0, float(older.at.max()))]
    manifest = {"span": span, "measures": {"recall_at_20": recall, "cases": 200.0}}
    model = Model(index, [f"item-{item}" for item in range(ITEMS)], Parameters(), manifest)
    return gate.Live(model, np.arange(ITEMS))


def spoilt(log: Log, *, before: float) -> Log:
    """The same with the items of all events before a time shuffled."""
    item = log.item.copy()
    item[log.at < before] = np.random.default_rng(0).permutation(item[log.at < before])
    return log._replace(item=item)


def judged(log: Log, live: gate.Live) -> gate.Verdict:
    held = held_of(log, seen_until=gate.seen_until(live))
    return gate.judge(held, CATALOGUE, Parameters(), tuned=False, live=live)


def test_what_is_as_good_as_the_live_release_passes_on_sessions_that_neither_has_seen() -> None:
    verdict = judged(GOOD, live_of(GOOD))

    assert verdict.passed
    assert verdict.measures["live.gain_low"] <= 0 <= verdict.measures["live.gain_high"]
    assert verdict.measures["live.recall_at_20"] > 0.9


def test_what_learnt_from_spoilt_events_is_refused_since_the_live_release_is_better() -> None:
    verdict = judged(spoilt(GOOD, before=2_700 * 60.0), live_of(GOOD))

    assert not verdict.passed
    assert verdict.measures["live.gain_high"] < 0
    assert "the live release" in verdict.note


def test_without_new_sessions_the_figures_of_the_live_release_are_what_counts() -> None:
    old = Log(*(column[GOOD.at < BORDER] for column in GOOD))
    live = live_of(GOOD)

    assert judged(old, live).passed
    refused = judged(spoilt(old, before=np.inf), live)
    assert not refused.passed
    assert refused.measures["live.gain_high"] < 0


def test_products_that_the_live_release_does_not_know_count_as_not_found() -> None:
    live = live_of(GOOD)

    verdict = judged(GOOD, live._replace(place=np.full(ITEMS, -1)))

    assert verdict.passed
    assert verdict.measures["live.recall_at_20"] == 0
