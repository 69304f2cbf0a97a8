"""The figures of evaluations, flat: name -> number, the engine's own and `baseline.NAME.…`."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from reco_app.engine import measures
from reco_app.training.cases import Protocol
from reco_app.training.evaluation import HIT_CUTOFF, LIST_LENGTH, Outcome, Run


def summary(runs: Sequence[Run], *, protocol: Protocol, cutoff: int) -> dict[str, float]:
    """Measures over the cases of all runs together; several runs are several days of one log."""
    figures: dict[str, float] = {
        "cases": sum(len(run.cases) for run in runs),
        "train_seconds": float(np.mean([run.train_seconds for run in runs])),
    }
    for name in _methods(runs):
        prefix = f"baseline.{name}." if name else ""
        figures |= {
            prefix + measure: value
            for measure, value in _measures(name, runs, protocol, cutoff).items()
        }
    return figures


def gains(runs: Sequence[Run], *, protocol: Protocol, cutoff: int) -> dict[str, float]:
    """Paired gains over each baseline with 95 % bounds, `gain.NAME.MEASURE[_low|_high]`."""
    sessions = np.concatenate(
        [[case.session for case in run.cases] for run in runs], dtype=np.int64
    )
    own = _accuracy(_found("", runs), protocol, cutoff)
    figures: dict[str, float] = {}
    for name in _methods(runs):
        if not name:
            continue
        theirs = _accuracy(_found(name, runs), protocol, cutoff)
        for measure, values in own.items():
            interval = measures.paired_interval(values - theirs[measure], sessions)
            figures[f"gain.{name}.{measure}"] = interval.mean
            figures[f"gain.{name}.{measure}_low"] = interval.low
            figures[f"gain.{name}.{measure}_high"] = interval.high
    return figures


def _methods(runs: Sequence[Run]) -> list[str]:
    """Those that every run has: a baseline may be too large for some days."""
    return [name for name in runs[0].outcomes if all(name in run.outcomes for run in runs)]


def _found(name: str, runs: Sequence[Run]) -> NDArray[np.int64]:
    return np.concatenate([run.outcomes[name].found for run in runs])


def _accuracy(
    found: NDArray[np.int64], protocol: Protocol, cutoff: int
) -> Mapping[str, NDArray[np.float64]]:
    if protocol == "hide-one":
        return {
            f"hit_rate_at_{HIT_CUTOFF}": measures.recall(found, HIT_CUTOFF),
            f"mrr_at_{LIST_LENGTH}": measures.reciprocal_rank(found, LIST_LENGTH),
        }
    return {
        f"recall_at_{cutoff}": measures.recall(found, cutoff),
        f"mrr_at_{cutoff}": measures.reciprocal_rank(found, cutoff),
        f"ndcg_at_{cutoff}": measures.ndcg(found, cutoff),
    }


def _measures(
    name: str, runs: Sequence[Run], protocol: Protocol, cutoff: int
) -> Mapping[str, float]:
    seconds = np.concatenate([run.outcomes[name].seconds for run in runs])
    accuracy = _accuracy(_found(name, runs), protocol, cutoff)
    spread = [_spread(run, run.outcomes[name], cutoff) for run in runs]
    return {
        **{measure: float(values.mean()) for measure, values in accuracy.items()},
        f"coverage_at_{cutoff}": float(np.mean([coverage for coverage, _ in spread])),
        f"popularity_at_{cutoff}": float(np.mean([popularity for _, popularity in spread])),
        "p50_us": float(np.percentile(seconds, 50) * 1e6),
        "p99_us": float(np.percentile(seconds, 99) * 1e6),
    }


def _spread(run: Run, outcome: Outcome, cutoff: int) -> tuple[float, float]:
    frequency = np.diff(run.model.index.item_start).astype(np.float64)
    return (
        measures.coverage(outcome.lists, cutoff, len(frequency)),
        measures.popularity_bias(outcome.lists, cutoff, frequency),
    )
