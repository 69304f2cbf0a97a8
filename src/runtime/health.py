"""/livez, /readyz and /metrics, alike in every process; not public."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import orjson

from runtime import metrics

PATHS = frozenset({"/livez", "/readyz", "/metrics"})
Readiness = Callable[[], Awaitable[Mapping[str, str]]]
_READINESS_SECONDS = 2.0


class Probe(NamedTuple):
    """The answer to one probe."""

    status: int
    media_type: str
    body: bytes


def live() -> Probe:
    """Alive as long as it can answer; touches no store."""
    return _json(200, {"status": "alive"})


def measured() -> Probe:
    """What Prometheus reads."""
    return Probe(200, metrics.CONTENT_TYPE, metrics.render())


def ready(checks: Mapping[str, str]) -> Probe:
    """200 unless a check says "unready"; anything but "ok" makes the answer "degraded"."""
    states = set(checks.values())
    status = "ready" if states <= {"ok"} else "degraded"
    if "unready" in states:
        status = "unready"
    return _json(503 if status == "unready" else 200, {"status": status, "checks": dict(checks)})


async def probe(path: str, readiness: Readiness) -> Probe:
    """The answer to the probe at `path`, one of PATHS."""
    if path == "/livez":
        return live()
    if path == "/metrics":
        return measured()
    try:
        async with asyncio.timeout(_READINESS_SECONDS):
            return ready(await readiness())
    except TimeoutError:
        return ready({"checks": "too slow"})


def _json(status: int, told: Mapping[str, object]) -> Probe:
    return Probe(status, "application/json", orjson.dumps(told))
