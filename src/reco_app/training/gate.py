"""May this model go live? Only if it finds what shoppers chose next better than popularity does."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine import tuning
from reco_app.engine.content import undescribed
from reco_app.engine.index import EVENT_TYPES, Catalogue, Index, Log, build
from reco_app.engine.measures import positions, recall, reciprocal_rank
from reco_app.engine.model import Model
from reco_app.engine.parameters import Parameters
from reco_app.engine.rank import ContextItem, rank, warm
from reco_app.engine.tuning import Case
from reco_app.training.dataset import Held

CUTOFF = 20
HELD_OUT = 0.1  # of the sessions, the newest
MOST_CASES = 1000
ENOUGH_FOR_BOTH = 400  # sessions, to tune on some and judge by others
TRIALS = 24  # sets of parameters tried in a round: seconds where sessions are long
FEWEST_CASES = 50  # fewer say nothing: one lucky hit more or less would decide


class Verdict(NamedTuple):
    """What the held-out sessions say; `passed` is true too where there were too few to tell."""

    passed: bool
    note: str
    measures: dict[str, float]
    parameters: Parameters = Parameters()
    """Those to train with."""


def judge(held: Held, catalogue: Catalogue, parameters: Parameters, *, tuned: bool) -> Verdict:
    """Train on the older sessions, predict the newest, beside the most popular products.

    Where there are many, the parameters are `tuned` on other ones of the newest.
    """
    if not len(held.newer.at):
        return Verdict(True, "no sessions to measure with yet", {}, parameters)
    # Likeness does not count here, and finding it takes longer than all the rest.
    known = catalogue._replace(described=undescribed(len(catalogue.category)))
    index = build(held.older, known, parameters, now=held.border)
    judging, tuning_on = _cases(held.newer, index)
    if len(judging) < FEWEST_CASES:
        note = f"only {len(judging)} sessions to measure with, too few to tell"
        return Verdict(True, note, {}, parameters)
    best = tuning.Tuned(parameters, 0.0, 0, 0)
    if tuned:
        best = tuning.tune(index, tuning_on, parameters, repeats=False, trials=TRIALS)
    verdict = _compare(index, judging, best.parameters, scenario=_scenario(held.newer))
    facts = {"tuning.gain": best.gain, "tuning.cases": float(best.cases)}
    return verdict._replace(measures=verdict.measures | facts)


def _compare(index: Index, cases: list[Case], parameters: Parameters, *, scenario: str) -> Verdict:
    model = Model(index, [""] * len(index.idf), parameters)
    targets = np.array([case.target for case in cases], np.int64)
    found = positions(_ranked(model, cases, scenario), targets)
    popular = positions(_popular(index, cases), targets)
    measures = {
        "recall_at_20": float(recall(found, CUTOFF).mean()),
        "mrr_at_20": float(reciprocal_rank(found, CUTOFF).mean()),
        "popularity.recall_at_20": float(recall(popular, CUTOFF).mean()),
        "popularity.mrr_at_20": float(reciprocal_rank(popular, CUTOFF).mean()),
        "cases": float(len(cases)),
    }
    ours, theirs = measures["recall_at_20"], measures["popularity.recall_at_20"]
    words = f"Recall@20 {ours:.3f}, popularity {theirs:.3f}, on the newest {len(cases)} sessions"
    return Verdict(ours > theirs, words, measures, parameters)


def _scenario(log: Log) -> str:
    """A log of purchases is measured as baskets, any other as sessions."""
    bought = np.mean(log.event_type == EVENT_TYPES.index("purchase"))
    return "basket" if bought > 0.5 else "session"


def _cases(log: Log, index: Index) -> tuple[list[Case], list[Case]]:
    """Sessions to judge by, and others to tune on if there are enough for both."""
    order = np.lexsort((log.at, log.session))
    borders = np.flatnonzero(np.diff(log.session[order], prepend=-1)).tolist()
    bounds = list(zip(borders, [*borders[1:], len(order)], strict=True))
    known = np.diff(index.item_start) > 0
    rows = [order[first:last] for first, last in bounds]
    if len(rows) < ENOUGH_FOR_BOTH:
        return list(_last_of(rows, log, known)), []
    step = max(2, len(rows) // MOST_CASES)
    return list(_last_of(rows[::step], log, known)), list(_last_of(rows[1::step], log, known))


def _last_of(
    sessions: Sequence[NDArray[np.int64]], log: Log, known: NDArray[np.bool_]
) -> Iterator[Case]:
    """The last of a session's distinct products is the target; in training, or it is no case."""
    for session in sessions:
        rows = session[known[log.item[session]]]
        entries = {int(log.item[row]): int(log.event_type[row]) for row in rows.tolist()}
        if len(entries) >= 2:
            *context, (target, _) = entries.items()
            yield Case([ContextItem(item, kind, 1.0) for item, kind in context[-50:]], target)


def _ranked(model: Model, cases: list[Case], scenario: str) -> NDArray[np.int32]:
    warm(model)
    mask = np.ones(len(model.item_ids), np.uint8)
    lists = np.full((len(cases), CUTOFF), -1, np.int32)
    for number, case in enumerate(cases):
        items = [entry.item for entry in case.context]
        mask[items] = 0
        ranked = rank(model, case.context, scenario=scenario, mask=mask, count=CUTOFF)
        mask[items] = 1
        lists[number, : len(ranked.items)] = ranked.items
    return lists


def _popular(index: Index, cases: list[Case]) -> NDArray[np.int32]:
    """The most popular products that are not in the context."""
    order = index.popular_order[: CUTOFF + 50]
    lists = np.full((len(cases), CUTOFF), -1, np.int32)
    for number, case in enumerate(cases):
        left = order[~np.isin(order, [entry.item for entry in case.context])][:CUTOFF]
        lists[number, : len(left)] = left
    return lists
