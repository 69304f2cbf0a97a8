"""Parameters chosen on a shop's own sessions: random search and successive halving.

Bergstra and Bengio (2012); Jamieson and Talwalkar (2016). Seeded, and bounded by a number of
rankings instead of by time, so that the same log always comes to the same parameters.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine import measures
from reco_app.engine.index import Index
from reco_app.engine.model import Model
from reco_app.engine.parameters import Parameters
from reco_app.engine.rank import ContextItem, rank

CUTOFF = 20
SEED = 0
ROUNDS = (0.4, 0.2)  # parts of the parameters that a round's trials change in the best so far
KEPT = 3  # of so many trials one goes on, with so many times the cases
FIRST_CASES = 150
MOST_CASES = 3_000
FEWEST_CASES = 100  # fewer tell chance from nothing
RANK_WEIGHT = 2.0  # reciprocal ranks are about half as large as recall
BELIEVED = 1.0  # standard errors by which a trial must beat what was given

WEIGHING = {
    "last_items": (4.0, 8.0, 20.0),
    "order_decay": (0.7, 1.0, 1.5, 2.5, 4.0),
    "age_half_life_seconds": (600.0, 1_800.0, 3_600.0, 14_400.0, 86_400.0),
}
NEIGHBOURHOOD = {
    "sample": (250.0, 500.0, 1_000.0),
    "neighbours": (100.0, 200.0, 300.0, 500.0),
    "match_idf_power": (0.0, 0.5, 1.0, 1.5),
    "score_idf_power": (0.0, 0.25, 0.5, 0.75, 1.0),
    "length_power": (0.0, 0.25, 0.5, 1.0),
    "recency_days": (7.0, 20.0, 60.0, 180.0, 720.0),
    "distance_decay": (1.5, 2.0, 3.0, 5.0, 10.0),
    "likeness_weight": (0.05, 0.1, 0.2, 0.3, 0.5),
    "near": (20.0, 60.0),
}
REPEATS = {
    "current_factor": (0.005, 0.02, 0.1, 0.3),
    "repeat_factor": (0.3, 1.0, 3.0, 5.0, 10.0),
}


class Case(NamedTuple):
    """A context, oldest first, and the item that came next: its place, or -1 if not known."""

    context: Sequence[ContextItem]
    target: int


class Tuned(NamedTuple):
    """The parameters found, and the gain over those given, on all the cases looked at."""

    parameters: Parameters
    gain: float
    trials: int
    cases: int


def tune(
    index: Index, cases: Sequence[Case], parameters: Parameters, *, repeats: bool, trials: int
) -> Tuned:
    """Search for what best finds the targets in scenario `session`, starting from `parameters`.

    `repeats`: items of the context may come again, as they do in logs of every view. `trials` of
    them in each round.
    """
    rng = np.random.default_rng(SEED)
    chosen = rng.permutation(len(cases))[:MOST_CASES]
    if len(chosen) < FEWEST_CASES:
        return Tuned(parameters, 0.0, 0, len(chosen))
    asked = [cases[place] for place in chosen]
    best, gain = parameters, 0.0
    for part in ROUNDS:
        drawn = [_changed(best, part, rng, repeats=repeats) for _ in range(trials)]
        winner, gains = _halved(index, asked, drawn, best, repeats=repeats)
        if gains.mean() > BELIEVED * gains.std() / np.sqrt(len(gains)):
            best, gain = winner, gain + float(gains.mean())
    return Tuned(best, gain, trials * len(ROUNDS), len(asked))


def _halved(
    index: Index,
    cases: Sequence[Case],
    trials: list[Parameters],
    given: Parameters,
    *,
    repeats: bool,
) -> tuple[Parameters, NDArray[np.float64]]:
    """The best of the trials, and its gain over `given` in each case."""
    size = FIRST_CASES
    while len(trials) > 1:
        part = cases[:size]
        scores = [_score(index, part, trial, repeats=repeats).mean() for trial in trials]
        order = np.argsort(-np.array(scores), kind="stable")
        trials = [trials[place] for place in order[: max(len(trials) // KEPT, 1)]]
        size *= KEPT
    won = _score(index, cases, trials[0], repeats=repeats)
    return trials[0], won - _score(index, cases, given, repeats=repeats)


def _changed(
    parameters: Parameters, part: float, rng: np.random.Generator, *, repeats: bool
) -> Parameters:
    space = NEIGHBOURHOOD | REPEATS if repeats else NEIGHBOURHOOD
    return parameters._replace(
        session=parameters.session._replace(**_drawn(space, part, rng)),
        session_weighing=parameters.session_weighing._replace(**_drawn(WEIGHING, part, rng)),
    )


def _drawn(
    space: dict[str, tuple[float, ...]], part: float, rng: np.random.Generator
) -> dict[str, float]:
    return {
        name: float(rng.choice(values)) for name, values in space.items() if rng.random() < part
    }


def _score(
    index: Index, cases: Sequence[Case], parameters: Parameters, *, repeats: bool
) -> NDArray[np.float64]:
    """Recall and reciprocal rank of each case, summed, so that both count alike."""
    model = Model(index, [""] * len(index.idf), parameters)
    mask = np.ones(len(index.idf), np.uint8)
    lists = np.full((len(cases), CUTOFF), -1, np.int32)
    for number, case in enumerate(cases):
        items = [entry.item for entry in case.context]
        mask[items] = repeats
        ranked = rank(model, case.context, scenario="session", mask=mask, count=CUTOFF)
        mask[items] = 1
        lists[number, : len(ranked.items)] = ranked.items
    found = measures.positions(lists, np.array([case.target for case in cases], np.int64))
    ranks = measures.reciprocal_rank(found, CUTOFF)
    return measures.recall(found, CUTOFF) + RANK_WEIGHT * ranks
