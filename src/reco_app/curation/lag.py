"""How far the catalogue is behind the record, for Prometheus; told by the relay."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from prometheus_client import Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reco_app.curation import outbox
from reco_app.curation.models import OutboxEntry
from runtime import metrics

_delivered = Histogram(
    "multireco_projection_seconds",
    "From a product's change in PostgreSQL until the catalogue had taken it.",
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300),
    registry=metrics.registry,
)


def delivered(entries: Iterable[OutboxEntry], *, now: datetime) -> None:
    for entry in entries:
        _delivered.observe(max((now - entry.created_at).total_seconds(), 0))


class Backlog(Collector):
    """The outbox as it is when Prometheus asks, so that a relay which hangs cannot hide it."""

    def describe(self) -> Iterator[Metric]:
        yield from ()

    def collect(self) -> Iterator[Metric]:
        try:
            state = outbox.backlog(now=timezone.now())
        except (InterfaceError, OperationalError):
            return  # PostgreSQL is away; an absent figure says so, and the others are still told
        finally:
            connection.close()  # each scrape has a thread of its own
        for name, meaning, value in (
            ("waiting", "Changes that the catalogue has not been told yet.", state.waiting),
            ("refused", "Changes that the catalogue did not take.", state.refused),
            ("lag_seconds", "Age of the oldest waiting change.", state.lag.total_seconds()),
        ):
            yield GaugeMetricFamily(f"multireco_outbox_{name}", meaning, value)
