"""The compiled kernel agrees with the same method written plainly."""

import numpy as np
import pytest

from bench import plain
from reco_app.engine import kernels, likeness
from reco_app.engine.parameters import Parameters, Weighing
from reco_app.engine.rank import ContextItem, rank
from reco_app.engine.scratch import for_ranking
from tests.reco_app.engine.logs import log_of, model_of, random_log

ITEMS = 50


def _plain_weights(context: list[ContextItem], weighing: Weighing) -> np.ndarray:
    kinds = (weighing.viewed, weighing.clicked, weighing.carted, weighing.bought)
    weights = np.zeros(len(context))
    for place, entry in enumerate(context):
        newer = len({later.item for later in context[place + 1 :]} - {entry.item})
        weights[place] = (
            kinds[entry.event_type]
            * (1 + weighing.quantity_weight * np.log(entry.quantity))
            * max(0.5 ** (entry.age_seconds / weighing.age_half_life_seconds), 1e-3)
            * np.exp(-newer / weighing.order_decay)
        )
    return weights


def _plain_scores(model, context: list[ContextItem]) -> np.ndarray:
    index, settings = model.index, model.parameters.session
    weights = _plain_weights(context, model.parameters.session_weighing)
    items_of = [
        dict(
            zip(
                index.session_items[first:last].tolist(),
                index.session_positions[first:last].tolist(),
                strict=True,
            )
        )
        for first, last in zip(index.session_start[:-1], index.session_start[1:], strict=True)
    ]
    scores = np.zeros(ITEMS)
    similarity = np.zeros(len(items_of))
    for session, items in enumerate(items_of):
        days = (index.session_at[-1] - index.session_at[session]) / 86_400
        shared = [place for place, entry in enumerate(context) if entry.item in items]
        similarity[session] = (
            sum(weights[p] * index.idf[context[p].item] ** settings.match_idf_power for p in shared)
            * np.exp(-days / settings.recency_days)
            / max(len(items), 1) ** settings.length_power
        )
    for session in np.argsort(-similarity, kind="stable")[: int(settings.neighbours)]:
        if similarity[session] <= 0:
            continue
        items = items_of[session]
        match = next(items[entry.item] for entry in reversed(context) if entry.item in items)
        for item, position in items.items():
            decay = np.exp(-abs(position - match) / settings.distance_decay)
            scores[item] += similarity[session] * decay
    return scores * index.idf**settings.score_idf_power


@pytest.mark.parametrize("neighbours", [5, 1000])
@pytest.mark.parametrize("seed", range(10))
def test_the_kernel_agrees_with_plain_numpy(seed, neighbours):
    settings = Parameters().session._replace(neighbours=float(neighbours), likeness_weight=0.0)
    model = model_of(
        random_log(seed, sessions=80, items=ITEMS), ITEMS, Parameters()._replace(session=settings)
    )
    rng = np.random.default_rng(seed)
    context = [
        ContextItem(int(item), int(rng.integers(4)), float(rng.integers(1, 5)), float(age))
        for item, age in zip(rng.permutation(ITEMS)[:4], rng.integers(0, 9999, 4), strict=True)
    ]
    mask = np.ones(ITEMS, np.uint8)
    mask[[entry.item for entry in context]] = 0
    plain = _plain_scores(model, context) * mask
    ranked = rank(model, context, scenario="session", mask=mask, count=ITEMS)
    found = ranked.items[ranked.sources == 0][: int((plain > 0).sum())]

    assert np.allclose(np.sort(plain[plain > 0])[::-1], plain[found], rtol=1e-4)
    squashed = ranked.scores[: len(found)]
    assert np.allclose(squashed / (1 - squashed), plain[found], rtol=1e-4)


def test_of_a_repeated_item_only_the_strongest_entry_counts():
    weights = kernels.weigh(
        np.array([4, 7, 4], np.int32),
        np.array([3, 0, 0], np.uint8),
        np.ones(3, np.float32),
        np.zeros(3, np.float32),
        Weighing(order_decay=1e9, viewed=1.0, bought=2.0),
    )

    assert np.allclose(weights, [2.0, 1.0, 0.0])


def test_only_the_newest_items_are_looked_at():
    weights = kernels.weigh(
        np.arange(5, dtype=np.int32),
        np.zeros(5, np.uint8),
        np.ones(5, np.float32),
        np.zeros(5, np.float32),
        Weighing(last_items=2.0),
    )

    assert (weights > 0).tolist() == [False, False, False, True, True]


def _again(context: list[int], **settings: float) -> list[int]:
    """Products in the order in which they are said to come again, where all go together."""
    neighbourhood = Parameters().session._replace(likeness_weight=0.0, distance_decay=1e9)
    parameters = Parameters(session=neighbourhood._replace(**settings))
    model = model_of(log_of([list(range(6))] * 3), 6, parameters)
    asked = [ContextItem(item) for item in context]
    mask = np.ones(6, np.uint8)
    return rank(model, asked, scenario="session", mask=mask, count=6).items.tolist()


def test_of_what_may_come_again_the_last_comes_first():
    assert _again([3, 1, 4, 5])[:3] == [4, 1, 3]


def test_what_was_met_several_times_comes_again_before_what_was_met_once():
    assert _again([3, 3, 1, 5], repeat_decay=1e9, repeat_times_power=1.0)[:2] == [3, 1]
    assert _again([3, 3, 1, 5], repeat_decay=1e9, repeat_times_power=0.0)[:2] == [1, 3]


@pytest.mark.parametrize("seed", range(10))
def test_the_kernel_with_embeddings_and_repeats_agrees_with_plain_numpy(seed):
    settings = Parameters().session._replace(sample=20.0, neighbours=30.0)
    model = model_of(
        random_log(seed, sessions=300, items=ITEMS), ITEMS, Parameters()._replace(session=settings)
    )
    rng = np.random.default_rng(seed)
    context = [
        ContextItem(int(item), int(rng.integers(4)), float(rng.integers(1, 5)), float(age))
        for item, age in zip(rng.integers(0, 8, 6), rng.integers(0, 9999, 6), strict=True)
    ]
    mask = np.ones(ITEMS, np.uint8)
    items, scores = plain.rank(model, context, mask=mask, count=20)
    ranked = rank(model, context, scenario="session", mask=mask, count=20)
    told = ranked.scores[: len(items)]

    assert len(items) > 10
    assert np.allclose(told / (1 - told), scores, rtol=1e-4)
    assert set(ranked.items[: len(items)].tolist()) == set(items.tolist())


def test_scores_too_small_to_divide_by_are_counted_as_none():
    scratch = for_ranking(300, 1)
    scratch.cells[:] = 1e-38
    scratch.touched[:] = np.arange(300)
    assert likeness._least_of_best.py_func(scratch, 300, np.float32(1e-38)) == 0
