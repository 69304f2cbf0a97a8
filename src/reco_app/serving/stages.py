"""Where the time of an answer goes: timed for one computed answer in 64, counted for all."""

from collections.abc import Iterable
from time import perf_counter

from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from runtime import metrics
from runtime.durations import Durations

ONE_IN = 64

seconds = Durations(
    "multireco_answer_stage_seconds",
    "How long a stage took, of one in 64 of the answers that were computed.",
    ("stage",),
    bounds=(1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 0.1, 1.0),
)
STAGES = (
    *("compiled", "question", "profile", "filters", "candidates", "order", "cards", "reasons"),
    *("envelope", "encoding"),
)
for _stage in STAGES:
    seconds.expect(_stage)
metrics.registry.register(seconds)
_computed = {"compiled": 0, "whole": 0}


class _Computed(Collector):
    """Plain numbers, for a counter with a lock costs as much as the rest of the measuring."""

    def collect(self) -> Iterable[CounterMetricFamily]:
        family = CounterMetricFamily(
            "multireco_answers_computed",
            "Answers that were not at hand: in one compiled call, or the whole way.",
            labels=["way"],
        )
        for way, number in _computed.items():
            family.add_metric([way], number)
        yield family


metrics.registry.register(_Computed())


class Watch:
    """Tells of each stage how long it took."""

    def __init__(self) -> None:
        self._lap_at = perf_counter()

    def lap(self, stage: str) -> None:
        now = perf_counter()
        seconds.observe(now - self._lap_at, stage)
        self._lap_at = now


class _Stopped(Watch):
    def lap(self, stage: str) -> None:
        """Of most answers nothing is told."""


STOPPED = _Stopped()


def compiled(started_at: float) -> None:
    """An answer was made in one compiled call that began then."""
    _computed["compiled"] += 1
    if _computed["compiled"] % ONE_IN == 0:
        seconds.observe(perf_counter() - started_at, "compiled")


def whole() -> Watch:
    """An answer begins that goes the whole way."""
    _computed["whole"] += 1
    return STOPPED if _computed["whole"] % ONE_IN else Watch()
