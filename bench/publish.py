"""`python -m bench.publish`: publishers killed and releases damaged, ten thousand times."""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runtime.local.processes import ROOT

TRIALS = 10_000
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "reco_app.settings",
    "MULTIRECO_SECRET_KEY": "nothing-is-signed-by-a-measurement",
    "MULTIRECO_DATABASE_URL": "postgresql://none@127.0.0.1/none",
    "MULTIRECO_BROKER_URL": "redis://127.0.0.1/0",
    "PYTHONPATH": str(ROOT / "src"),
    "NUMBA_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def measure() -> dict[str, float]:
    """Trials, and those after which something else than a whole, good release was served."""
    return run(TRIALS)


def run(trials: int) -> dict[str, float]:
    """As many trials as wanted, two at a time on each core; what goes wrong is told on stderr."""
    workers = 2 * len(os.sched_getaffinity(0))  # a trial waits as long as it works
    shares = [trials // workers + (seed < trials % workers) for seed in range(workers)]
    with ThreadPoolExecutor(workers) as threads:
        bad = sum(threads.map(_bad, shares, range(workers)))
    return {"publish.trials": trials, "publish.bad_releases_served": bad}


def _bad(trials: int, seed: int) -> int:
    """How many of these trials ended badly, in a process and a model store of their own.

    SIGKILL loses nothing that was written, so the store is kept in memory where there is a place.
    """
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        done = subprocess.run(
            [sys.executable, "-m", "bench.publish_trials", folder, str(trials), str(seed)],
            env={**os.environ, **ENVIRONMENT, "MULTIRECO_MODEL_DIR": folder},
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
        )
    return int(done.stdout)


if __name__ == "__main__":
    for name, value in measure().items():
        sys.stdout.write(f"{name:32} {value:12,.0f}\n")
