"""One drill: load, a fault in the midst of it, its end, and what came of every answer and event."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.drills import recovery
from bench.drills.faults import Drill
from bench.drills.site import Site
from runtime.local.processes import ROOT

WARM_SECONDS = 2.0
BASELINE_SECONDS = 10.0
AFTER_SECONDS = 4.0
STORED_SECONDS = 60.0  # until everything that was acknowledged must be in PostgreSQL
SETTLED_SECONDS = 3.0  # in which a second delivery would come
Told = Mapping[str, Any]


def measured(site: Site, drill: Drill) -> tuple[dict[str, float], dict[str, Any]]:
    """The figures of a drill, and what explains them. Raises Missed."""
    if drill.prepare is not None:
        drill.prepare(site)
    with _load(site, noise=drill.noise) as told:
        time.sleep(WARM_SECONDS + BASELINE_SECONDS if drill.baseline else 0)
        broken_at = time.monotonic()
        with drill.fault(site):
            broken_by = time.monotonic()
            time.sleep(drill.seconds)
            ended_at = time.monotonic()
        healed_at = broken_at if drill.heals_itself else time.monotonic()
        waited, parts = recovery.wait(site)
        time.sleep(AFTER_SECONDS)
    answers = np.array([(due, seconds) for due, seconds, *_ in told["answers"]])
    judged = [(due, trouble, degraded) for due, _, trouble, degraded in told["answers"]]
    after = [one for one in judged if one[0] >= broken_at]
    bad = [(due - broken_at, trouble) for due, trouble, _ in after if trouble]
    if drill.heals_itself:
        unwell = [due for due, trouble, _ in after if trouble]
        recovered = max(unwell, default=healed_at) - healed_at
    else:
        unwell = [due for due, trouble, is_degraded in after if trouble or is_degraded]
        late = max([*unwell, *told["refused"], healed_at]) - healed_at
        recovered = max(waited, late)
    figures = {
        "good_percent": 100 * (1 - len(bad) / len(after)),
        **_events(site, told),
        "recovery_seconds": recovered,
    }
    if drill.baseline:
        during = _p99_ms(answers, broken_by + 1, ended_at)
        before = _p99_ms(answers, broken_at - BASELINE_SECONDS, broken_at)
        figures["p99_added_ms"] = during - before
    explained = {
        "answers": len(after),
        "degraded": sum(is_degraded for _, _, is_degraded in after),
        "bad": _counted(bad),
        "acknowledged": len(told["acknowledged"]),
        "refused_batches": len([at for at in told["refused"] if at >= broken_at]),
        "fault_took_seconds": broken_by - broken_at,
        "recovered_parts": parts,
    }
    if drill.baseline:
        explained |= {"p99_before_ms": before, "p99_during_ms": during}
    return figures, explained


def _events(site: Site, told: Told) -> dict[str, float]:
    deadline = time.monotonic() + STORED_SECONDS
    while True:
        found = recovery.stored(site, told["sent"])
        lost = told["acknowledged"].keys() - found.keys()
        if not lost or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    time.sleep(SETTLED_SECONDS)
    twice = [name for name, count in recovery.stored(site, told["sent"]).items() if count > 1]
    return {"events_lost": len(lost), "events_twice": len(twice)}


def _p99_ms(answers: "np.ndarray[Any, Any]", begin: float, end: float) -> float:
    due, seconds = answers[:, 0], answers[:, 1]
    return float(np.percentile(seconds[(due >= begin) & (due < end)], 99)) * 1e3


def _counted(bad: list[tuple[float, str]]) -> dict[str, Any]:
    """How often each trouble was seen, and when first and last, in seconds after the fault."""
    by_trouble: dict[str, list[float]] = {}
    for at, trouble in sorted(bad):
        by_trouble.setdefault(trouble, []).append(at)
    return {
        trouble: {"count": len(at), "first": round(at[0], 2), "last": round(at[-1], 2)}
        for trouble, at in by_trouble.items()
    }


@contextmanager
def _load(site: Site, *, noise: float) -> Iterator[dict[str, Any]]:
    """Load until the end; what came of it is there then."""
    target = Path(site.shop.logs.parent / "load.json")
    target.unlink(missing_ok=True)
    key = site.shop.key("events")["Authorization"].removeprefix("Bearer ")
    command = [sys.executable, "-m", "bench.drills.load"]
    told: dict[str, Any] = {}
    with subprocess.Popen(
        [*command, site.gateway, key, site.profile, str(noise), str(target)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
    ) as load:
        try:
            yield told
            assert load.stdin
            load.stdin.close()
            load.wait(60)
        except BaseException:
            load.kill()
            raise
    if load.returncode:
        raise RuntimeError("the load failed; its words are above")
    told.update(json.loads(target.read_text()))
