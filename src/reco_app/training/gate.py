"""May this model go live? Only if it finds what shoppers chose next better than popularity does."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine.content import undescribed
from reco_app.engine.index import EVENT_TYPES, Catalogue, Index, Log, build
from reco_app.engine.measures import positions, recall, reciprocal_rank
from reco_app.engine.model import Model
from reco_app.engine.parameters import Parameters
from reco_app.engine.rank import ContextItem, rank, warm

CUTOFF = 20
HELD_OUT = 0.1  # of the sessions, the newest
MOST_CASES = 1000
FEWEST_CASES = 50  # fewer say nothing: one lucky hit more or less would decide


class Verdict(NamedTuple):
    """What the held-out sessions say; `passed` is true too where there were too few to tell."""

    passed: bool
    note: str
    measures: dict[str, float]


class Case(NamedTuple):
    """A session whose last product is to be found from the ones before."""

    context: list[ContextItem]
    target: int


def judge(log: Log, catalogue: Catalogue, parameters: Parameters) -> Verdict:
    """Train on the older sessions, predict the newest, beside the most popular products."""
    began = _began(log)
    if not len(began):
        return Verdict(True, "no sessions to measure with yet", {})
    border = float(np.quantile(began[np.isfinite(began)], 1 - HELD_OUT))
    older, newer = log.at < border, (log.session >= 0) & (began[log.session] >= border)
    # Likeness does not count here, and finding it takes longer than all the rest.
    known = catalogue._replace(described=undescribed(len(catalogue.category)))
    index = build(_only(log, older), known, parameters, now=border)
    cases = list(_cases(_only(log, newer), index))
    if len(cases) < FEWEST_CASES:
        return Verdict(True, f"only {len(cases)} sessions to measure with, too few to tell", {})
    return _compare(index, cases, parameters, scenario=_scenario(log))


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
    return Verdict(ours > theirs, words, measures)


def _began(log: Log) -> NDArray[np.float64]:
    """The time of each session's first event, by the session's number."""
    known = log.session >= 0
    began = np.full(int(log.session.max(initial=-1)) + 1, np.inf)
    np.minimum.at(began, log.session[known], log.at[known])
    return began


def _only(log: Log, kept: NDArray[np.bool_]) -> Log:
    return Log(log.session[kept], log.item[kept], log.event_type[kept], log.at[kept])


def _scenario(log: Log) -> str:
    """A log of purchases is measured as baskets, any other as sessions."""
    bought = np.mean(log.event_type == EVENT_TYPES.index("purchase"))
    return "basket" if bought > 0.5 else "session"


def _cases(log: Log, index: Index) -> Iterator[Case]:
    """The last of each session's distinct products is the target; in training, or it is no case."""
    order = np.lexsort((log.at, log.session))
    borders = np.flatnonzero(np.diff(log.session[order], prepend=-1)).tolist()
    known = np.diff(index.item_start) > 0
    bounds = list(zip(borders, [*borders[1:], len(order)], strict=True))
    step = max(1, len(bounds) // MOST_CASES)
    for first, last in bounds[::step]:
        rows = order[first:last]
        rows = rows[known[log.item[rows]]]
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
