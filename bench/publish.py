"""`python -m bench.publish`: publishers killed and releases damaged, ten thousand times."""

import json
import os
import subprocess
import sys
import tempfile
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
    """As many trials as wanted, in a process of their own; what goes wrong is told on stderr.

    SIGKILL loses nothing that was written, so the store is kept in memory where there is a place.
    """
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        environment = {**os.environ, **ENVIRONMENT, "MULTIRECO_MODEL_DIR": folder}
        command = [sys.executable, "-m", "bench.publish_trials", folder, str(trials)]
        done = subprocess.run(
            command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE
        )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    for name, value in measure().items():
        sys.stdout.write(f"{name:32} {value:12,.0f}\n")
