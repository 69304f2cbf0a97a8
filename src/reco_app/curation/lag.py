"""How far the catalogue is behind the record, for Prometheus; told by the relay."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.utils import timezone
from prometheus_client import Histogram
from prometheus_client.core import Metric

from reco_app.curation import outbox
from reco_app.curation.models import OutboxEntry
from reco_app.scraped import gauge
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


def backlog() -> Iterator[Metric]:
    """The outbox as it is, so that a relay which hangs cannot hide it."""
    state = outbox.backlog(now=timezone.now())
    yield gauge(
        "multireco_outbox_waiting",
        "Changes that the catalogue has not been told yet.",
        state.waiting,
    )
    yield gauge(
        "multireco_outbox_refused", "Changes that the catalogue did not take.", state.refused
    )
    yield gauge(
        "multireco_outbox_lag_seconds",
        "Age of the oldest waiting change.",
        state.lag.total_seconds(),
    )
