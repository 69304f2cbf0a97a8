"""Prometheus metrics, named alike in every component; labels are bounded, never ids.

One process a role counts for itself: what a worker's pool children do, their parent counts.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import perf_counter

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from runtime import context
from runtime.durations import Durations

CONTENT_TYPE = CONTENT_TYPE_LATEST

# A second series for each would tell when it began.
disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped there
registry = CollectorRegistry()
ProcessCollector(namespace="multireco", registry=registry)

# Recommendations take a fraction of a millisecond, imports minutes: the ladder spans both.
# 0.15 is the objective of recommendations.
_SECONDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0),
)

durations = Durations(
    "multireco_http_request_duration_seconds",
    "Time from the first byte of a request to the last of its answer.",
    ("component", "method", "route", "status"),
    bounds=_SECONDS,
)
registry.register(durations)
dependency_duration_seconds = Histogram(
    "multireco_dependency_duration_seconds",
    "Time a call to a store or a neighbour took; outcome is ok or failed.",
    ("component", "dependency", "outcome"),
    buckets=_SECONDS,
    registry=registry,
)
degraded_total = Counter(
    "multireco_degraded_total",
    "Answers given without a neighbour that should have been asked.",
    ("neighbour",),
    registry=registry,
)
for _neighbour in ("catalog", "profile"):
    degraded_total.labels(_neighbour)  # told from the start, so that the first one is a rise
rate_limited_total = Counter(
    "multireco_rate_limited_total",
    "Requests turned away by the edge because their network used up its limit.",
    ("policy",),
    registry=registry,
)
for _policy in ("read", "write", "file"):
    rate_limited_total.labels(_policy)
shed_total = Counter(
    "multireco_shed_total",
    "Requests refused at once because the process had too much to do.",
    ("priority", "lane"),
    registry=registry,
)
cache_misses_total = Counter(
    "multireco_cache_misses_total",
    "What was not at hand in the process' memory and had to be made.",
    ("cache",),
    registry=registry,
)
shared_reads_total = Counter(
    "multireco_shared_reads_total",
    "Values looked for in Redis; outcome is fresh, spare (out of date, yet given) or missing.",
    ("kind", "outcome"),
    registry=registry,
)
computations_total = Counter(
    "multireco_computations_total",
    "Values made because none that is fresh was kept in Redis.",
    ("kind",),
    registry=registry,
)


@contextmanager
def timed(dependency: str) -> Iterator[None]:
    """Observe one call to `dependency`, such as redis or catalog; failed if it raises."""
    started = perf_counter()
    outcome = "failed"
    try:
        yield
        outcome = "ok"
    finally:
        dependency_duration_seconds.labels(
            context.current().component, dependency, outcome
        ).observe(perf_counter() - started)


def render() -> bytes:
    """Everything registered, in Prometheus' text format."""
    with _rendering:
        return generate_latest(registry)


# A child that is forked amid this would wait for ever for the locks that were held then.
_rendering = Lock()
os.register_at_fork(
    before=_rendering.acquire,
    after_in_parent=_rendering.release,
    after_in_child=_rendering.release,
)
