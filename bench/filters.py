"""`python -m bench.filters`: whether lists are full whenever enough products pass the filter.

5,000 random requests to a shop of real groceries; made in bench/filter_shop.py, asked in
bench/filter_trials.py.
"""

import json
import os
import subprocess
import sys

from runtime.local.processes import ROOT

NOTHING_IS_CONNECTED_TO = {
    "DJANGO_SETTINGS_MODULE": "reco_app.settings",
    "MULTIRECO_SECRET_KEY": "nothing-of-value-is-signed-by-a-measurement",
    "MULTIRECO_DATABASE_URL": "postgresql://none@127.0.0.1/none",
    "MULTIRECO_BROKER_URL": "redis://127.0.0.1:1/0",
    "MULTIRECO_MODEL_DIR": str(ROOT / "build" / "no-models"),
}
START = "import django; django.setup(); from bench.filter_shop import main; main()"


def measure() -> dict[str, float]:
    """How many requests were made, and how many lists were short or held what they must not.

    In a process of its own: what answers needs settings, which the other measurements do not.
    """
    command = [sys.executable, "-c", START]
    told = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **NOTHING_IS_CONNECTED_TO},
        stdout=subprocess.PIPE,
        check=True,
    )
    # DuckDB draws a bar to the same stream where reading takes more than two seconds.
    figures: dict[str, float] = json.loads(told.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    for name, value in measure().items():
        sys.stdout.write(f"{name:32} {value:12,.1f}\n")
