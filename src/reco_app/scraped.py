"""Figures that are read in a store when Prometheus asks, and absent while that store is away."""

from collections.abc import Callable, Iterable

from django.db import InterfaceError, OperationalError, connection
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Read = Callable[[], Iterable[Metric]]


class Scraped(Collector):
    """What `read` tells; others are told all the same when it raises one of `away`."""

    def __init__(self, read: Read, *, away: tuple[type[Exception], ...]) -> None:
        self._read = read
        self._away = away

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry would read everything at the start to know the names."""
        return ()

    def collect(self) -> Iterable[Metric]:
        try:
            return list(self._read())
        except self._away:
            return ()


def in_postgresql(read: Read) -> Scraped:
    """Figures from Django's database."""

    def on_a_connection() -> Iterable[Metric]:
        try:
            return list(read())
        finally:
            connection.close()  # each scrape has a thread of its own

    return Scraped(on_a_connection, away=(InterfaceError, OperationalError))


def gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value)


def gauges(
    name: str, words: str, label: str, values: Iterable[tuple[str, float]]
) -> GaugeMetricFamily:
    """One gauge with one label."""
    family = GaugeMetricFamily(name, words, labels=[label])
    for of, value in values:
        family.add_metric([of], value)
    return family
