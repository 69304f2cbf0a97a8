"""Parameters of baskets chosen on a shop's own newest baskets, one after another.

The cheap ones first, with the weights as they are; then what the item-item weights are made with,
each tried on quickly made weights. A fixed number of trials on cases drawn with a fixed seed: the
same log comes to the same parameters.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reco_app.engine import linear, measures, sessions
from reco_app.engine.basket_kernels import baskets, rank_by_baskets
from reco_app.engine.index import PURCHASE, Index
from reco_app.engine.model import Model
from reco_app.engine.parameters import Parameters
from reco_app.engine.rows import ItemWeights
from reco_app.engine.sessions import BySession
from reco_app.engine.trials import Case, Cases, columns
from reco_app.engine.tuning import CUTOFF, FEWEST_CASES, RANK_WEIGHT, SEED, Tuned, better

MOST_CASES = 3_000
BELIEVED = 2.0  # standard errors; of so many trials one or two pass a single one by chance
QUICK_NEIGHBOURS = 32.0  # of an item while its weights are tried out: a third of the time
# Part of the parameters, name, and what is tried in turn; the factor is in no part.
SCORED = (
    ("basket_neighbourhood", "weight", (0.5, 1.0, 2.0)),
    ("basket_neighbourhood", "match_idf_power", (1.0, 3.0)),
    ("basket_neighbourhood", "recency_days", (60.0, 1_000.0)),
    ("basket_weighing", "quantity_weight", (0.0, 0.2)),
    ("", "substitute_factor", (0.8, 1.0)),
)
FITTED = (
    ("basket", "length_power", (0.0, 1.0)),
    ("basket", "ridge", (10.0, 100.0)),
    ("basket", "recency_days", (60.0, 1_000.0)),
)


def tune_baskets(
    by_session: BySession, index: Index, cases: Sequence[Case], parameters: Parameters
) -> Tuned:
    """Search for what best finds the targets in scenario `basket`, starting from `parameters`.

    `index` is that of the sessions, learnt without the cases; a case is a basket without one of
    its products, the target.
    """
    chosen = np.random.default_rng(SEED).permutation(len(cases))[:MOST_CASES]
    if len(chosen) < FEWEST_CASES:
        return Tuned(parameters, 0.0, 0, len(chosen))
    asked = columns([cases[place] for place in chosen])
    rows = ItemWeights(index.basket_start, index.basket_items, index.basket_weights)
    found = _score(index, rows, asked, parameters)
    best, gain, trials = parameters, 0.0, 0
    for part, name, values in SCORED:
        for value in values:
            trial = _changed(best, part, name, value)
            scored = _score(index, rows, asked, trial)
            trials += 1
            if better(scored - found, BELIEVED):
                gain += float((scored - found).mean())
                best, found = trial, scored
    best, fitted_gain, fits = _fitted(by_session, index, asked, best)
    return Tuned(best, gain + fitted_gain, trials + fits, len(asked.targets))


def _fitted(
    by_session: BySession, index: Index, cases: Cases, given: Parameters
) -> tuple[Parameters, float, int]:
    """The same for what takes new item-item weights."""
    bought = sessions.only(by_session, PURCHASE)
    used = bought if len(bought.items) else by_session
    by_item = sessions.invert(used, len(index.idf))

    def tried(parameters: Parameters) -> NDArray[np.float64]:
        quick = parameters.basket._replace(neighbours=QUICK_NEIGHBOURS)
        rows = linear.basket_weights(used, by_item, quick)
        return _score(index, rows, cases, parameters)

    best, gain, trials, found = given, 0.0, 0, tried(given)
    for part, name, values in FITTED:
        for value in values:
            trial = _changed(best, part, name, value)
            scored = tried(trial)
            trials += 1
            if better(scored - found, BELIEVED):
                gain += float((scored - found).mean())
                best, found = trial, scored
    return best, gain, trials


def _changed(parameters: Parameters, part: str, name: str, value: float) -> Parameters:
    if not part:
        return parameters._replace(substitute_factor=value)
    changed = getattr(parameters, part)._replace(**{name: value})
    return parameters._replace(**{part: changed})


def _score(
    index: Index, rows: ItemWeights, cases: Cases, parameters: Parameters
) -> NDArray[np.float64]:
    """Recall and reciprocal rank of each case, summed, so that both count alike."""
    model = Model(index, [""] * len(index.idf), parameters)
    alike = (baskets(index, parameters.basket_neighbourhood), parameters.basket_neighbourhood)
    categories = (model.index.category, parameters.substitute_factor)
    settings = (parameters.basket_weighing, tuple(rows), categories, alike)
    mask = np.ones(len(index.idf), np.uint8)
    found = _positions(cases, settings, mask, model.scratch.take(), CUTOFF)
    ranks = measures.reciprocal_rank(found, CUTOFF)
    return measures.recall(found, CUTOFF) + RANK_WEIGHT * ranks


@njit(cache=True, nogil=True)
def _positions(cases, settings, mask, scratch, cutoff):  # type: ignore[no-untyped-def]
    weighing, rows, categories, alike = settings
    found = np.zeros(len(cases.targets), np.int64)
    for number in range(len(found)):
        first, last = cases.start[number], cases.start[number + 1]
        items = cases.items[first:last]
        context = (
            items,
            cases.kinds[first:last],
            cases.quantities[first:last],
            cases.ages[first:last],
        )
        mask[items] = 0
        ranked, _, _ = rank_by_baskets(
            context, weighing, rows, categories, alike, mask, scratch, cutoff
        )
        mask[items] = 1
        for place in range(len(ranked)):
            if ranked[place] == cases.targets[number]:
                found[number] = place + 1
    return found
