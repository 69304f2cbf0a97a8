"""Offline evaluation: train on one event log, predict another, beside well-known baselines."""

import time
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reco_app.engine import baselines, measures
from reco_app.engine import tuning as search
from reco_app.engine.basket_tuning import tune_baskets
from reco_app.engine.index import DAY_SECONDS, Log, build, uncatalogued
from reco_app.engine.model import Model
from reco_app.engine.parameters import Parameters
from reco_app.engine.rank import rank, warm
from reco_app.engine.sessions import Counted
from reco_app.engine.trials import Case as Prefix
from reco_app.training import dataset, revisits
from reco_app.training.cases import Case, Protocol, asked, fewer
from reco_app.training.eventlog import EventLog

try:
    from reco_app.engine import foreign
except ImportError:  # for measuring alone: what serves and trains is without that library
    foreign = None  # type: ignore[assignment]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

LIST_LENGTH = 20  # hide-one looks at the first 10 for hits and the first 20 for ranks
HIT_CUTOFF = 10
TRIALS = 81  # sets of parameters tried in a round, at most
TUNED_ON = 0.08  # of the training sessions, the newest


class NothingToPredict(Exception):
    """No session of the test log has something to predict from the training log."""


class Outcome(NamedTuple):
    """What one method answered to the n cases."""

    lists: NDArray[np.int32]
    found: NDArray[np.int64]
    seconds: NDArray[np.float64]


class Run(NamedTuple):
    """All methods on the same cases; the engine's own outcome is named ""."""

    cases: list[Case]
    outcomes: dict[str, Outcome]
    model: Model
    train_seconds: float


def evaluate(
    train: EventLog,
    test: EventLog,
    *,
    protocol: Protocol,
    cutoff: int,
    progress: Progress,
    tuning: bool = True,
    beside: Collection[str] | None = None,
) -> Run:
    """Train, then answer every case with the engine and each baseline, or those named alone.

    Tuned on the newest sessions of the training log alone. Raises NothingToPredict where the two
    logs have nothing in common to predict.
    """
    progress("training", 0, 1)
    started = time.perf_counter()
    parameters = revisits.fitted(train, Parameters())
    model = trained(train, tuned(train, protocol, parameters) if tuning else parameters)
    train_seconds = time.perf_counter() - started
    progress("training", 1, 1)
    cases = fewer(list(asked(model, test, protocol)))
    if all(case.target < 0 for case in cases):
        raise NothingToPredict(
            "no test session has a product to predict: it takes sessions of two events or more"
            " whose products are in the training log"
        )
    warm(model)
    length = max(cutoff, LIST_LENGTH)
    repeats = protocol == "next-item"
    outcomes = {"": _engine(model, cases, protocol, length, progress)}
    for name, baseline in _baselines(protocol).items():
        if beside is None or name in beside:
            scorer = baseline(model.index)
            outcomes[name] = _answered(name, scorer, cases, length, repeats, progress)
    return Run(cases, outcomes, model, train_seconds)


def evaluate_days(
    log: EventLog,
    *,
    days: int,
    protocol: Protocol,
    cutoff: int,
    progress: Progress,
    tuning: bool = True,
    beside: Collection[str] | None = None,
) -> list[Run]:
    """The same for each of the last days (UTC) of one log, each trained on what ended before.

    Days without anything to predict are left out. Raises NothingToPredict if all are.
    """
    ended = np.zeros(len(log.session_ids))
    np.maximum.at(ended, log.session, log.at)
    day = (ended // DAY_SECONDS).astype(np.int64)[log.session]
    last = int(day.max(initial=0))
    runs = []
    for current in range(last - days + 1, last + 1):
        train, test = log.only(day < current), log.only(day == current)
        try:
            run = evaluate(
                train,
                test,
                protocol=protocol,
                cutoff=cutoff,
                progress=progress,
                tuning=tuning,
                beside=beside,
            )
        except NothingToPredict:
            continue
        runs.append(run)
    if not runs:
        raise NothingToPredict(f"none of the last {days} days has a product to predict")
    return runs


def tuned(log: EventLog, protocol: Protocol, parameters: Parameters) -> Parameters:
    """Parameters that do best on the newest sessions of a log, learnt from those before."""
    if not len(log.at):
        return parameters
    ended = np.full(len(log.session_ids), -np.inf)
    np.maximum.at(ended, log.session, log.at)
    border = np.quantile(ended[np.isfinite(ended)], 1 - TUNED_ON)
    newest = ended[log.session] > border
    if protocol == "hide-one":
        return _tuned_baskets(log.only(~newest), log.only(newest), parameters)
    # No weights for baskets here: they take seconds, and no session asks for them.
    without = parameters._replace(basket=parameters.basket._replace(neighbours=0.0))
    older = trained(log.only(~newest), without)
    cases = _contexts(older, log.only(newest), protocol)
    repeats = protocol == "next-item"
    return search.tune(older.index, cases, parameters, repeats=repeats, trials=TRIALS).parameters


def _tuned_baskets(older: EventLog, newer: EventLog, parameters: Parameters) -> Parameters:
    model = trained(older, parameters)
    cases = _contexts(model, newer, "hide-one")
    by_session = _counted(older)[0].by_session
    return tune_baskets(by_session, model.index, cases, parameters).parameters


def _contexts(model: Model, test: EventLog, protocol: Protocol) -> list[Prefix]:
    return [Prefix(case.context, case.target) for case in asked(model, test, protocol)]


def trained(log: EventLog, parameters: Parameters) -> Model:
    """A model of the items of a log, without a catalogue."""
    counted, used = _counted(log)
    now = float(log.at.max(initial=0))
    index = build(counted, uncatalogued(len(used)), parameters, now=now)
    return Model(index, [log.item_ids[place] for place in used], parameters)


def _counted(log: EventLog) -> tuple[Counted, NDArray[np.int64]]:
    """What a log comes to, and which of its items it has events of."""
    used, item = np.unique(log.item, return_inverse=True)
    columns = Log(log.session, item.astype(np.int32), log.event_type, log.at)
    return dataset.counted(columns, len(used)), used


def _baselines(protocol: Protocol) -> dict[str, baselines.Baseline]:
    own = baselines.BASKET if protocol == "hide-one" else baselines.NEXT_ITEM
    return own | (foreign.BASELINES if foreign else {})


def _engine(
    model: Model, cases: Sequence[Case], protocol: Protocol, length: int, progress: Progress
) -> Outcome:
    scenario = "basket" if protocol == "hide-one" else "session"
    mask = np.ones(len(model.item_ids), np.uint8)
    lists = np.full((len(cases), length), -1, np.int32)
    seconds = np.empty(len(cases))
    for number, case in enumerate(cases):
        items = [entry.item for entry in case.context]
        mask[items] = protocol == "next-item"
        started = time.perf_counter()
        ranked = rank(model, case.context, scenario=scenario, mask=mask, count=length)
        seconds[number] = time.perf_counter() - started
        mask[items] = 1
        lists[number, : len(ranked.items)] = ranked.items
        progress("engine", number + 1, len(cases))
    return _outcome(lists, cases, seconds)


def _answered(
    name: str,
    scorer: baselines.Scorer,
    cases: Sequence[Case],
    length: int,
    repeats: bool,
    progress: Progress,
) -> Outcome:
    lists = np.full((len(cases), length), -1, np.int32)
    seconds = np.empty(len(cases))
    for number, case in enumerate(cases):
        items = np.array([entry.item for entry in case.context], np.int64)
        started = time.perf_counter()
        scores = np.array(scorer(items), np.float64)
        if not repeats:
            scores[items] = 0
        best = _highest(scores, length)
        seconds[number] = time.perf_counter() - started
        lists[number, : len(best)] = best
        progress(name, number + 1, len(cases))
    return _outcome(lists, cases, seconds)


def _highest(scores: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Places of the highest scores above 0; of equal ones, the first."""
    places = np.flatnonzero(scores > 0)
    if len(places) > count:
        least = np.partition(scores[places], -count)[-count]
        places = places[scores[places] >= least]
    return places[np.argsort(-scores[places], kind="stable")][:count]


def _outcome(
    lists: NDArray[np.int32], cases: Sequence[Case], seconds: NDArray[np.float64]
) -> Outcome:
    targets = np.array([case.target for case in cases], np.int64)
    return Outcome(lists, measures.positions(lists, targets), seconds)
