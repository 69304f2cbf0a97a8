"""May this model go live? Only if neither popularity nor the live release finds more of what came.

Judged by the newest sessions. What is live has not seen them either: those that began since its
last event, if they are enough. If not, its own figures of when it was judged are what counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine import tuning
from reco_app.engine.basket_tuning import tune_baskets
from reco_app.engine.index import EVENT_TYPES, Catalogue, Index, Log, build
from reco_app.engine.measures import paired_interval, positions, recall, reciprocal_rank
from reco_app.engine.model import Model
from reco_app.engine.parameters import Parameters
from reco_app.engine.rank import ContextItem, rank, warm
from reco_app.engine.trials import Case
from reco_app.training.dataset import Held

CUTOFF = 20
HELD_OUT = 0.1  # of the sessions, the newest
MOST_CASES = 3_000
ENOUGH_FOR_BOTH = 400  # sessions, to tune on some and judge by others
TRIALS = 24  # sets of parameters tried in a round: seconds where sessions are long
ASKED = {"session": "embedding", "basket": "basket"}  # parts of the index; others seldom fill lists
FEWEST_CASES = 50  # fewer say nothing: one lucky hit more or less would decide
SURE = 1.96  # standard errors


class Verdict(NamedTuple):
    """What the held-out sessions say; `passed` is true too where there were too few to tell."""

    passed: bool
    note: str
    measures: dict[str, float]
    parameters: Parameters = Parameters()
    """Those to train with."""


class Live(NamedTuple):
    """The live release, and the place in it of each product of the log: -1 if it has none."""

    model: Model
    place: NDArray[np.int64]


def seen_until(live: Live | None) -> float:
    """The last event that a release knows, seconds since 1970; 0 without one."""
    span = live.model.manifest.get("span") if live else None
    return datetime.fromisoformat(span[1]).timestamp() + 1.0 if span else 0.0  # to the second


def judge(
    held: Held,
    catalogue: Catalogue,
    parameters: Parameters,
    *,
    tuned: bool,
    live: Live | None = None,
) -> Verdict:
    """Train on the older sessions, predict the newest, beside popularity and the live release.

    Where there are many, the parameters are `tuned` on other ones of the newest.
    """
    if not len(held.newer.at):
        return Verdict(True, "no sessions to measure with yet", {}, parameters)
    scenario = _scenario(held.newer)
    parts = {ASKED[scenario], "embedding"} if tuned else {ASKED[scenario]}
    index = build(held.older, catalogue, parameters, now=held.border, parts=parts)
    judging, tuning_on = _cases(held.newer, index)
    if len(judging) < FEWEST_CASES:
        note = f"only {len(judging)} sessions to measure with, too few to tell"
        return Verdict(True, note, {}, parameters)
    best = tuning.Tuned(parameters, 0.0, 0, 0)
    if tuned:
        best = tuning.tune(index, tuning_on, parameters, repeats=False, trials=TRIALS)
    if tuned and scenario == "basket":
        best = tune_baskets(held.older.by_session, index, tuning_on, best.parameters)
    verdict = _compare(index, judging, best.parameters, scenario, live, held.border)
    facts = {"tuning.gain": best.gain, "tuning.cases": float(best.cases)}
    return verdict._replace(measures=verdict.measures | facts)


def _compare(
    index: Index,
    cases: list[Case],
    parameters: Parameters,
    scenario: str,
    live: Live | None,
    border: float,
) -> Verdict:
    model = Model(index, [""] * len(index.idf), parameters)
    targets = np.array([case.target for case in cases], np.int64)
    found = positions(_ranked(model, cases, scenario), targets)
    popular = positions(_popular(index, cases), targets)
    ours, theirs = _figures(found), _figures(popular)
    passed = tuple(ours.values()) >= tuple(theirs.values())
    words = [f"Recall@20 {ours['recall_at_20']:.3f}, popularity {theirs['recall_at_20']:.3f}"]
    measures = ours | {f"popularity.{name}": value for name, value in theirs.items()}
    measures["cases"] = float(len(cases))
    if live:
        if seen_until(live) <= border:
            gain = _gain_over(live, cases, found, scenario)
        else:
            gain = _gain_since(live.model.manifest.get("measures", {}), measures)
        passed = passed and gain.get("live.gain_high", 0.0) >= 0
        measures |= gain
        words += [_told(gain)] if gain else []
    words.append(f"on the newest {len(cases)} sessions")
    return Verdict(passed, ", ".join(words), measures, parameters)


def _figures(found: NDArray[np.int64]) -> dict[str, float]:
    return {
        "recall_at_20": float(recall(found, CUTOFF).mean()),
        "mrr_at_20": float(reciprocal_rank(found, CUTOFF).mean()),
    }


def _gain_over(
    live: Live, cases: Sequence[Case], found: NDArray[np.int64], scenario: str
) -> dict[str, float]:
    """In recall over the live release on the same cases, with 95 % bounds."""
    asked = [_in_live(case, live.place) for case in cases]
    targets = np.array([case.target for case in asked], np.int64)
    theirs = recall(positions(_ranked(live.model, asked, scenario), targets), CUTOFF)
    interval = paired_interval(recall(found, CUTOFF) - theirs, np.arange(len(cases)))
    return {
        "live.recall_at_20": float(theirs.mean()),
        "live.gain": interval.mean,
        "live.gain_low": interval.low,
        "live.gain_high": interval.high,
    }


def _gain_since(then: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """The same over what the live release was measured at, on other cases of about that time."""
    if "recall_at_20" not in then:
        return {}
    shares = (then["recall_at_20"], now["recall_at_20"])
    sizes = (then["cases"], now["cases"])
    variance = sum(share * (1 - share) / size for share, size in zip(shares, sizes, strict=True))
    gain, noise = shares[1] - shares[0], SURE * float(np.sqrt(variance))
    return {
        "live.recall_at_20": shares[0],
        "live.gain": gain,
        "live.gain_low": gain - noise,
        "live.gain_high": gain + noise,
    }


def _told(gain: Mapping[str, float]) -> str:
    return (
        f"the live release {gain['live.recall_at_20']:.3f} (gain {gain['live.gain']:+.3f}, "
        f"95 %: {gain['live.gain_low']:+.3f} to {gain['live.gain_high']:+.3f})"
    )


def _in_live(case: Case, place: NDArray[np.int64]) -> Case:
    """A case by the places of the live release, without what it does not know."""
    context = [entry._replace(item=int(place[entry.item])) for entry in case.context]
    return Case([entry for entry in context if entry.item >= 0], int(place[case.target]))


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
        entries: dict[int, int] = {}
        for row in session[known[log.item[session]]].tolist():
            entries.pop(int(log.item[row]), None)  # a product stands where it was met last
            entries[int(log.item[row])] = row
        if len(entries) >= 2:
            *context, target = list(entries.values())[-51:]
            now = log.at[context[-1]]
            asked = [
                ContextItem(
                    int(log.item[row]), int(log.event_type[row]), 1.0, float(now - log.at[row])
                )
                for row in context
            ]
            yield Case(asked, int(log.item[target]))


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
