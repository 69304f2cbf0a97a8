"""Half an hour of steady load on everything: does a process grow, does an answer fail?

    python -m bench.split soak [--soak-minutes 2]

The site of the drills: two processes of reco behind the gateway, two workers, one process of every
other role, Debian's stores; needs root. RATE recommendations a second (60 % of a knee of 300, that
of bench.split.overload), of all kinds, and 8 batches of five events. Errors are answers that are no
success, break the contract or are not full, batches of events that were refused, and processes that
ended. Memory is what a process and its children have for themselves (RssAnon of /proc), without the
mapped files of a release, taken every five seconds; the slope is that of a line through the last
two thirds of a process's samples (the first third is warming up), summed over all processes.
"""

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import numpy as np

from bench.drills import load
from bench.drills.site import Site, running

RATE = 180.0
EVERY_SECONDS = 5.0
WARM = 1 / 3
TOLD = 10
Samples = dict[str, list[tuple[float, float]]]


def measure() -> dict[str, float]:
    """Figures by their names."""
    seconds = 60 * float(os.environ["SOAK_MINUTES"])
    with tempfile.TemporaryDirectory(prefix="multireco-soak-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        with running(folder) as site:
            pids = {name: one.child.pid for name, one in site.processes.running.items()}
            pids["gateway"] = int((folder / "nginx" / "nginx.pid").read_text())
            samples, over = Samples(), threading.Event()
            watch = threading.Thread(target=_watch, args=(pids, samples, over))
            watch.start()
            try:
                made_load = asyncio.run(_load(site, seconds))
            finally:
                over.set()
                watch.join()
            ended = [name for name, one in site.processes.running.items() if not one.running()]
            failed = _failed(folder / "nginx" / "output.log")
    began = made_load.answers[0][0]
    bad = [(due, trouble) for due, _, trouble, _ in made_load.answers if trouble]
    by_second = Counter((trouble, round(due - began)) for due, trouble in bad)
    slopes = {name: _mb_per_minute(taken) for name, taken in samples.items()}
    told = {name: round(slope, 3) for name, slope in slopes.items()}
    sys.stdout.write(f"MB a minute: {told}\nended: {ended}\n")
    sys.stdout.write(f"errors by kind and second: {dict(by_second)}\n")
    sys.stdout.write(f"the gateway's lines of them, the first {TOLD}:\n{failed}\n")
    return {
        "soak.minutes": seconds / 60,
        "soak.answers": len(made_load.answers),
        "soak.events": len(made_load.acknowledged),
        "soak.errors": len(bad) + len(made_load.refused) + len(ended),
        "soak.mb_per_minute": round(sum(slopes.values()), 3),
    }


async def _load(site: Site, seconds: float) -> load.Load:
    key = site.shop.key("events")["Authorization"].removeprefix("Bearer ")
    async with load.client(site.gateway) as client:
        made = load.Load(client, key=key, profile=site.profile, noise=0)
        stopped = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds, stopped.set)
        await load.drive(made, stopped, recommendations_per_second=RATE)
    return made


def _watch(pids: Mapping[str, int], samples: Samples, over: threading.Event) -> None:
    while not over.wait(EVERY_SECONDS):
        now = time.monotonic()
        for name, pid in pids.items():
            taken = sum(_own_mb(member) for member in _family(pid))
            samples.setdefault(name, []).append((now, taken))


def _family(pid: int) -> list[int]:
    """A process, its children and theirs."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [one for thread in threads for one in (thread / "children").read_text().split()]
    except FileNotFoundError:
        return []
    return [pid, *(member for child in children for member in _family(int(child)))]


def _failed(log: Path) -> str:
    """An empty `upstream` tells that the gateway refused by itself."""
    with log.open() as lines:
        return "".join(islice((line for line in lines if '"status":5' in line), TOLD))


def _own_mb(pid: int) -> float:
    try:
        told = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0.0
    line = next((line for line in told.splitlines() if line.startswith("RssAnon")), "RssAnon: 0")
    return int(line.split()[1]) / 1024


def _mb_per_minute(taken: list[tuple[float, float]]) -> float:
    settled = np.array(taken[int(len(taken) * WARM) :])
    return float(np.polyfit(settled[:, 0] / 60, settled[:, 1], 1)[0])
