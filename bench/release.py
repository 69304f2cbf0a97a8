"""`python -m bench.release`: what it costs a serving process to take a release into use.

The release is that of the shop of real groceries (92,331 products, 1.46 million events), made in
build/bench-groceries the first time and kept.
"""

import json
import os
import subprocess
import sys
import tempfile

from bench import logs
from bench.shops import Fill, stocked
from runtime.local.processes import ROOT

FILL = Fill(logs.write_groceries, training=("--no-tuning",))  # as for `bench.answers`


def measure() -> dict[str, float]:
    """`load_ms`: from the look at the pointer to the first answer that could be given, all bytes
    verified, files in the page cache; the median of several. `private_mb`: memory of the process's
    own after the load and its first thousand answers, beyond what it had with a small release."""
    stock = stocked(ROOT / "build" / "bench-groceries", fill=FILL)
    with stock as shop, tempfile.TemporaryDirectory() as folder:
        source = shop.environment["MULTIRECO_MODEL_DIR"]
        done = subprocess.run(
            [sys.executable, "-m", "bench.release_load", source],
            env={**os.environ, **shop.environment, **_SETTINGS, "MULTIRECO_MODEL_DIR": folder},
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
        )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


_SETTINGS = {"DJANGO_SETTINGS_MODULE": "reco_app.settings", "PYTHONPATH": str(ROOT / "src")}


if __name__ == "__main__":
    for name, value in measure().items():
        sys.stdout.write(f"{name:32} {value:12,.1f}\n")
