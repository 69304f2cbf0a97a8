"""`python -m bench answers`: whole recommendations over HTTP, beside bare frameworks.

One process of the role `reco` (for `mounted`: of `all`), as deploy/entrypoint.sh starts it, is kept
to one core; the load, its stores and this program have the other. wrk asks over 8 connections as
fast as it is answered (where it is not installed, a small asyncio loader does); each body is a POST
with 1 to 10 products, for 12 recommendations with cards and reasons. The servers are compared in
turns, and the median of each is taken.

`answers.*` are those of the click log of DATA; where it is absent, those of the groceries, which
are always there as `answers.groceries.*` (trained without tuning, to save minutes). Cached answers
are compared on requests drawn from DISTINCT different ones by Zipf's law with exponent 1: the same
requests with and without the cache.
"""

import statistics
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from os import cpu_count, sched_getaffinity, sched_setaffinity
from typing import NamedTuple

import msgspec
import numpy as np

from bench import logs
from bench.arrivals import keep_asking
from bench.hellos import APPS, hello
from bench.load import Load, fire
from bench.shops import Fill, Shop, serving, stocked
from runtime.local.processes import ROOT

ROUNDS = 3
WARM_SECONDS, SECONDS = 4, 5
LOAD_OF_LIMIT = 0.6
# Each window below the limit stands between two looks at the limit, which STEADY bounds.
WINDOWS, MOST_WINDOWS, STEADY = 5, 12, 0.9
LOOK_SECONDS, OPEN_SECONDS = 2, 5
DISTINCT, DRAWN = 2_000, 50_000
SEED = 20_261_122
SAMPLE = 50
PATH = "/v1/recommendations"
CACHED = {"MULTIRECO_ANSWER_CACHE_SECONDS": "2"}  # as it is without the setting
UNCACHED = {"MULTIRECO_ANSWER_CACHE_SECONDS": "0"}
Measured = Callable[[Shop, list[str], set[int]], dict[str, float]]


class Below(NamedTuple):
    """Load below the limit; `steady`, `changed`: windows, by whether the limit was the same."""

    load: Load
    steady: int
    changed: int
    failed: int


class Degraded(Exception):
    """An answer was not what is measured here: 12 products with cards and reasons."""


def measure() -> dict[str, float]:
    """Requests a second, their ratios, and latencies in milliseconds."""
    server, load = _cores()
    sched_setaffinity(0, load)
    try:
        source = logs.data()
        if source is None:
            figures = _groceries(_everything, server)
            return {**_named("answers", figures), **_named("answers.groceries", figures)}
        fill = Fill(partial(logs.write_clicks, source=source))
        bodies = logs.clicks_requests(source)
        with stocked(ROOT / "build" / "bench-clicks", fill=fill) as shop:
            figures = _everything(shop, bodies, server)
        beside = _groceries(_limits, server)
        return {**_named("answers", figures), **_named("answers.groceries", beside)}
    finally:
        sched_setaffinity(0, range(cpu_count() or 1))


def _groceries(measured: Measured, cores: set[int]) -> dict[str, float]:
    fill = Fill(logs.write_groceries, training=("--no-tuning",))
    with stocked(ROOT / "build" / "bench-groceries", fill=fill) as shop:
        return measured(shop, logs.groceries_requests(), cores)


def _everything(shop: Shop, bodies: list[str], cores: set[int]) -> dict[str, float]:
    """Limits of every shape, the cache, and latency below the limit."""
    with ExitStack() as stack:
        start = stack.enter_context
        plain = start(serving("reco", shop, given=UNCACHED, cores=cores)) + PATH
        cached = start(serving("reco", shop, given=CACHED, cores=cores)) + PATH
        mounted = start(serving("all", shop, given=UNCACHED, cores=cores)) + PATH
        for url in (plain, cached, mounted):
            _require_whole(url, bodies[:: len(bodies) // SAMPLE])
        drawn = zipf(bodies[:DISTINCT])
        asked = {name: (start(hello(app, cores=cores)), []) for name, app in APPS.items()}
        asked |= {"plain": (plain, bodies), "mounted": (mounted, bodies)}
        asked |= {"zipf": (plain, drawn), "cached": (cached, drawn)}
        limits = _in_turns(asked)
        below = _at_60_percent(plain, bodies)
    return {
        **_beside_hellos(limits, below),
        "zipf_rps": limits["zipf"].rps,
        "cached_rps": limits["cached"].rps,
        "cached_p50_ms": limits["cached"].p50_ms,
        "cached_p99_ms": limits["cached"].p99_ms,
        "cached_over_uncached": limits["cached"].rps / limits["zipf"].rps,
        "mounted.rps": limits["mounted"].rps,
        "mounted.rps_over_stock_django": limits["mounted"].rps / limits["stock_django"].rps,
    }


def _limits(shop: Shop, bodies: list[str], cores: set[int]) -> dict[str, float]:
    """The limit and latency below it of one process of reco."""
    with ExitStack() as stack:
        start = stack.enter_context
        plain = start(serving("reco", shop, given=UNCACHED, cores=cores)) + PATH
        _require_whole(plain, bodies[:: len(bodies) // SAMPLE])
        asked = {name: (start(hello(app, cores=cores)), []) for name, app in APPS.items()}
        limits = _in_turns({**asked, "plain": (plain, bodies)})
        return _beside_hellos(limits, _at_60_percent(plain, bodies))


def _at_60_percent(url: str, bodies: list[str]) -> Below:
    """The median of WINDOWS windows, each below the limit of its own moment.

    A shared machine may have half or twice its speed a second later, and then the rate is all of
    the limit, or a third. A window after which the limit is another is told, and not counted;
    where too many are, all count. A server that slows down by itself looks the same.
    """
    look = partial(fire, url, bodies=bodies, seconds=LOOK_SECONDS)
    steady, changed, looks = list[Load](), list[Load](), [look()]
    while len(steady) < WINDOWS and len(steady) + len(changed) < MOST_WINDOWS:
        limit = looks[-1].rps
        rate = LOAD_OF_LIMIT * limit
        window = keep_asking(url, bodies, rate=rate, seconds=OPEN_SECONDS)
        looks.append(look())
        is_same = STEADY <= looks[-1].rps / limit <= 1 / STEADY
        (steady if is_same else changed).append(window)
        sys.stderr.write(f"{limit:,.0f}/s, then {looks[-1].rps:,.0f}/s: {window}\n")
    counted = steady if len(steady) == WINDOWS else steady + changed
    failed = sum(load.failed for load in (*steady, *changed, *looks))
    return Below(_median(counted), len(steady), len(changed), failed)


def _beside_hellos(limits: Mapping[str, Load], below: Below) -> dict[str, float]:
    plain, django, load = limits["plain"], limits["stock_django"], below.load
    return {
        "rps": plain.rps,
        "p50_ms": plain.p50_ms,
        "p99_ms": plain.p99_ms,
        "rps_over_stock_django": plain.rps / django.rps,
        "rps_over_starlette": plain.rps / limits["starlette"].rps,
        "stock_django_rps": django.rps,
        "starlette_rps": limits["starlette"].rps,
        "rps_at_60_percent": load.rps,
        "p50_ms_at_60_percent": load.p50_ms,
        "p99_ms_at_60_percent": load.p99_ms,
        "steady_windows": below.steady,
        "changed_windows": below.changed,
        "failed": below.failed + sum(load.failed for load in limits.values()),
    }


def _named(prefix: str, figures: Mapping[str, float]) -> dict[str, float]:
    return {f"{prefix}.{name}": value for name, value in figures.items()}


def zipf(bodies: Sequence[str]) -> list[str]:
    """DRAWN requests: of these, the one at place n is drawn with a probability like 1/n."""
    weights = 1 / np.arange(1, len(bodies) + 1)
    drawn = np.random.default_rng(SEED).choice(len(bodies), DRAWN, p=weights / weights.sum())
    return [bodies[place] for place in drawn.tolist()]


def _in_turns(asked: Mapping[str, tuple[str, list[str]]]) -> dict[str, Load]:
    """The median of each measure of each server, loaded one after another and again."""
    rounds: dict[str, list[Load]] = {name: [] for name in asked}
    for url, bodies in asked.values():
        fire(url, bodies=bodies[::-1], seconds=WARM_SECONDS)
    for _ in range(ROUNDS):
        for name, (url, bodies) in asked.items():
            rounds[name].append(fire(url, bodies=bodies, seconds=SECONDS))
    return {name: _median(loads) for name, loads in rounds.items()}


def _median(loads: Sequence[Load]) -> Load:
    """Of each measure; failures are summed."""
    measures = list(zip(*loads, strict=True))[:3]
    return Load(
        *(statistics.median(measure) for measure in measures),
        failed=sum(load.failed for load in loads),
    )


def _require_whole(url: str, bodies: Sequence[str]) -> None:
    """Raises Degraded if one of these is answered with less than what is measured."""
    for body in bodies:
        asked = urllib.request.Request(
            url, data=body.encode(), headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=30) as reply:
            answer = msgspec.json.decode(reply.read())
        items = answer["items"]
        whole = len(items) == logs.COUNT and all(
            item["reasons"] and (item["product"] or {}).get("title") for item in items
        )
        if not whole or answer["degraded"] or answer["model"] is None:
            raise Degraded(f"{body} was answered with {answer}")


def _cores() -> tuple[set[int], set[int]]:
    """One core for the server, another for the load; the same one where there is only one."""
    first, *others = sorted(sched_getaffinity(0))
    return {first}, {others[0] if others else first}
