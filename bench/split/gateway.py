"""What the gateway costs: requests a second of one process of reco, directly and through NGINX.

    python -m bench.split gateway

The servers share one core, wrk has another. Direct and uncached are the same POSTs; cached is the
GET of the same contexts, which the gateway may keep. Each figure is the median of three rounds, and
the three take turns, so that what else the machine does meets all of them.
"""

import os
from statistics import median
from urllib.parse import urlencode

from bench.load import Load, fire
from bench.split import site

SECONDS, ROUNDS = 5, 3


def measure() -> dict[str, float]:
    """Figures by their names; raises RuntimeError if an answer was not a success."""
    first, *others = sorted(os.sched_getaffinity(0))
    with site.running(cores={first}) as running:
        os.sched_setaffinity(0, others or {first})
        reco = f"http://127.0.0.1:{running.shop.ports['reco']}"
        asked = {
            "direct.rps": (f"{reco}/v1/recommendations", site.BODIES),
            "gateway.uncached_rps": (f"{running.gateway}/v1/recommendations", site.BODIES),
            "gateway.cached_rps": (f"{running.gateway}{_cacheable()}", ()),
        }
        found: dict[str, list[float]] = {name: [] for name in asked}
        for _ in range(ROUNDS):
            for name, (url, bodies) in asked.items():
                found[name].append(_good(fire(url, bodies=bodies, seconds=SECONDS), name))
    return {name: round(median(rates)) for name, rates in found.items()}


def _cacheable() -> str:
    return f"/v1/recommendations?{urlencode({'item': site.CONTEXTS[0]}, doseq=True)}"


def _good(load: Load, name: str) -> float:
    if load.failed:
        raise RuntimeError(f"{name}: {load.failed} answers were no success")
    return load.rps
