"""What the gateway costs: requests a second of one process of reco, directly and through NGINX.

    python -m bench.split gateway

Reco and NGINX share one core, wrk has another. Direct and uncached are the same POSTs; cached is
the GET of one of their contexts, which the gateway may keep. Each figure is the median of three
rounds, and the three take turns, so that what else the machine does meets all of them.
"""

from statistics import median
from urllib.parse import urlencode

from bench.load import Load, fire
from bench.split import site

SECONDS, ROUNDS = 5, 3


def measure() -> dict[str, float]:
    """Figures by their names; raises RuntimeError if an answer was not a success."""
    with site.measured("reco_app.asgi:application") as measured:
        asked = {
            "direct.rps": (f"{measured.reco}/v1/recommendations", site.BODIES),
            "gateway.uncached_rps": (f"{measured.gateway}/v1/recommendations", site.BODIES),
            "gateway.cached_rps": (f"{measured.gateway}{_cacheable()}", ()),
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
