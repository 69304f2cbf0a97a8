"""Parameters chosen on a shop's own sessions: random search and successive halving.

Bergstra and Bengio (2012); Jamieson and Talwalkar (2016). Seeded, and bounded by the sessions
that are looked at instead of by time, so that the same log always comes to the same parameters.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine import measures
from reco_app.engine.index import Index
from reco_app.engine.parameters import Parameters
from reco_app.engine.trials import Case, Cases, columns, positions

CUTOFF = 20
SEED = 0
ROUNDS = (0.4, 0.2, 0.2, 0.1, 0.1, 0.1)  # parts of the parameters that a trial changes in the best
KEPT = 3  # of so many trials one goes on, with so many times the cases
FIRST_CASES = 300
MOST_CASES = 6_000
FEWEST_CASES = 100  # fewer tell chance from nothing
FEWEST_TRIALS = 3  # in a round
WORK = 3e7  # products of neighbours looked at; some ten seconds where nothing else runs
RANK_WEIGHT = 2.0  # reciprocal ranks are about half as large as recall
BELIEVED = 1.0  # standard errors by which a trial must beat what was given
BELIEVED_OF_FEW = 2.0  # of fewer cases than MANY: the best of so many trials is best by chance
MANY = 2_500

WEIGHING = {
    "last_items": (4.0, 8.0, 20.0),
    "order_decay": (0.7, 1.0, 1.5, 2.0, 2.5, 4.0, 10.0),
    "age_half_life_seconds": (300.0, 600.0, 1_800.0, 3_600.0, 14_400.0, 86_400.0),
}
NEIGHBOURHOOD = {
    "sample": (250.0, 500.0, 1_000.0),
    "neighbours": (100.0, 200.0, 300.0, 500.0),
    "match_idf_power": (0.0, 0.5, 1.0, 1.5, 2.0),
    "score_idf_power": (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0),
    "length_power": (0.0, 0.1, 0.25, 0.5, 1.0),
    "recency_days": (7.0, 20.0, 60.0, 180.0, 720.0),
    "distance_decay": (1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 1e9),
    "likeness_weight": (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0),
    "near": (20.0, 60.0),
}
REPEATS = {
    "current_factor": (0.005, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.6, 1.5, 5.0),
    "repeat_factor": (0.0, 0.1, 0.3, 1.0, 3.0, 5.0, 7.0, 9.0, 12.0, 16.0),
    "repeat_decay": (1.5, 2.0, 3.0, 5.0, 1e9),
    "repeat_times_power": (-1.0, 0.0, 0.5, 1.0),
}


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

    `repeats`: items of the context may come again, as they do in logs of every view. At most
    `trials` a round, fewer where each takes long.
    """
    rng = np.random.default_rng(SEED)
    chosen = rng.permutation(len(cases))[:MOST_CASES]
    if len(chosen) < FEWEST_CASES:
        return Tuned(parameters, 0.0, 0, len(chosen))
    asked = columns([cases[place] for place in chosen])
    a_round = _affordable(index, asked, trials)
    best, gain = parameters, 0.0
    for part in ROUNDS:
        drawn = [_changed(best, part, rng, repeats=repeats) for _ in range(a_round)]
        winner, gains = _halved(index, asked, drawn, best, repeats=repeats)
        if better(gains, BELIEVED_OF_FEW if len(gains) < MANY else BELIEVED):
            best, gain = winner, gain + float(gains.mean())
    return Tuned(best, gain, a_round * len(ROUNDS), len(asked.targets))


def better(gains: NDArray[np.float64], errors: float) -> bool:
    """Whether these gains are more than so many standard errors."""
    return bool(gains.mean() > errors * gains.std() / np.sqrt(len(gains)))


def _affordable(index: Index, cases: Cases, most: int) -> int:
    """How many trials a round may have: long contexts among long sessions take longer."""
    usual = Parameters().session
    matches = np.minimum(np.diff(index.item_start), usual.sample)[cases.items].sum()
    matches /= len(cases.targets)
    length = len(index.session_items) / max(len(index.session_at), 1)
    a_case = matches + min(matches, usual.neighbours) * length + 1
    work = WORK / len(ROUNDS) / a_case
    while most > FEWEST_TRIALS and _rankings(most, len(cases.targets)) > work:
        most = max(most * 2 // 3, FEWEST_TRIALS)
    return most


def _rankings(count: int, cases: int) -> int:
    """In a round of so many trials."""
    size, rankings = FIRST_CASES, 2 * cases
    while count > 1:
        rankings += count * min(size, cases)
        count, size = count // KEPT, size * KEPT
    return rankings


def _halved(
    index: Index, cases: Cases, drawn: list[Parameters], given: Parameters, *, repeats: bool
) -> tuple[Parameters, NDArray[np.float64]]:
    """The best of the trials, and its gain over `given` in each case."""
    size = FIRST_CASES
    while len(drawn) > 1:
        part = cases.first(size)
        scores = [_score(index, part, trial, repeats=repeats).mean() for trial in drawn]
        order = np.argsort(-np.array(scores), kind="stable")
        drawn = [drawn[place] for place in order[: max(len(drawn) // KEPT, 1)]]
        size *= KEPT
    won = _score(index, cases, drawn[0], repeats=repeats)
    return drawn[0], won - _score(index, cases, given, repeats=repeats)


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
    index: Index, cases: Cases, parameters: Parameters, *, repeats: bool
) -> NDArray[np.float64]:
    """Recall and reciprocal rank of each case, summed, so that both count alike."""
    found = positions(index, cases, parameters, repeats=repeats, cutoff=CUTOFF)
    ranks = measures.reciprocal_rank(found, CUTOFF)
    return measures.recall(found, CUTOFF) + RANK_WEIGHT * ranks
