"""One set of parameters tried on many contexts at once, for tuning."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reco_app.engine.best import take_best
from reco_app.engine.index import Index
from reco_app.engine.kernels import session_scores, weigh
from reco_app.engine.model import Model
from reco_app.engine.parameters import Parameters
from reco_app.engine.rank import ContextItem


class Case(NamedTuple):
    """A context, oldest first, and the item that came next: its place, or -1 if not known."""

    context: Sequence[ContextItem]
    target: int


class Cases(NamedTuple):
    """n cases with E context items in all, as columns."""

    start: NDArray[np.int64]  # n + 1
    items: NDArray[np.int32]  # E, oldest first
    kinds: NDArray[np.uint8]  # E
    quantities: NDArray[np.float32]  # E
    ages: NDArray[np.float32]  # E, seconds
    targets: NDArray[np.int64]  # n, -1 if not known

    def first(self, count: int) -> "Cases":
        return self._replace(start=self.start[: count + 1], targets=self.targets[:count])


def columns(cases: Sequence[Case]) -> Cases:
    entries = [entry for case in cases for entry in case.context]
    return Cases(
        np.cumsum([0, *(len(case.context) for case in cases)]).astype(np.int64),
        np.array([entry.item for entry in entries], np.int32),
        np.array([entry.event_type for entry in entries], np.uint8),
        np.array([entry.quantity for entry in entries], np.float32),
        np.array([entry.age_seconds for entry in entries], np.float32),
        np.array([case.target for case in cases], np.int64),
    )


def positions(
    index: Index, cases: Cases, parameters: Parameters, *, repeats: bool, cutoff: int
) -> NDArray[np.int64]:
    """Where session kNN alone puts each target, from 1; 0 where it is not among the first."""
    model = Model(index, [""] * len(index.idf), parameters)
    mask = np.ones(len(index.idf), np.uint8)
    settings = (parameters.session_weighing, model.sessions, parameters.session)
    scratch = model.scratch.take()
    return np.asarray(_positions(cases, settings, mask, scratch, repeats, cutoff))


@njit(cache=True, nogil=True)
def _positions(cases, settings, mask, scratch, repeats, cutoff):  # type: ignore[no-untyped-def]
    weighing, index, neighbourhood = settings
    found = np.zeros(len(cases.targets), np.int64)
    for number in range(len(found)):
        first, last = cases.start[number], cases.start[number + 1]
        items = cases.items[first:last]
        weights = weigh(
            items,
            cases.kinds[first:last],
            cases.quantities[first:last],
            cases.ages[first:last],
            weighing,
        )
        touched, _, _ = session_scores(items, weights, index, neighbourhood, scratch)
        mask[items] = repeats
        ranked, _ = take_best(scratch, touched, mask, cutoff)
        mask[items] = 1
        for place in range(len(ranked)):
            if ranked[place] == cases.targets[number]:
                found[number] = place + 1
    return found
