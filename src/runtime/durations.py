"""A histogram for what happens thousands of times a second.

Prometheus' own takes two locks for each observation, which costs as much as a tenth of an answer.
Here they are only put down, and counted when many have come together or somebody asks.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import accumulate
from threading import Lock

from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

_MOST_WAITING = 1_000


class _Series:
    """`counts` holds one number for each bound, of what is up to it, and one for all above."""

    def __init__(self, bounds: int) -> None:
        self.waiting: deque[float] = deque()
        self.counts = [0] * (bounds + 1)
        self.sum = 0.0


class Durations(Collector):
    """Seconds by labels; `bounds` rise. No observation is lost, whatever thread it comes from."""

    def __init__(
        self, name: str, words: str, labels: tuple[str, ...], *, bounds: tuple[float, ...]
    ) -> None:
        self._name, self._words, self._labels, self._bounds = name, words, labels, bounds
        self._series: dict[tuple[str, ...], _Series] = {}
        self._counting = Lock()

    def expect(self, *labels: str) -> None:
        """Tell of these labels from the start: the first observation is then seen as a rise."""
        self._series.setdefault(labels, _Series(len(self._bounds)))

    def observe(self, seconds: float, *labels: str) -> None:
        series = self._series.get(labels) or self._series.setdefault(
            labels, _Series(len(self._bounds))
        )
        series.waiting.append(seconds)
        if len(series.waiting) >= _MOST_WAITING:
            with self._counting:
                self._count(series)

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """For the registry."""
        family = HistogramMetricFamily(self._name, self._words, labels=self._labels)
        with self._counting:
            for labels, series in list(self._series.items()):
                self._count(series)
                family.add_metric(labels, list(self._buckets(series)), series.sum)
        yield family

    def describe(self) -> Iterable[HistogramMetricFamily]:
        """For the registry, which asks for names before there is anything to tell."""
        yield HistogramMetricFamily(self._name, self._words, labels=self._labels)

    def _count(self, series: _Series) -> None:
        with suppress(IndexError):
            while True:
                seconds = series.waiting.popleft()
                series.counts[bisect_left(self._bounds, seconds)] += 1
                series.sum += seconds

    def _buckets(self, series: _Series) -> Iterator[tuple[str, float]]:
        above = [*map(floatToGoString, self._bounds), "+Inf"]
        return zip(above, accumulate(series.counts), strict=True)
