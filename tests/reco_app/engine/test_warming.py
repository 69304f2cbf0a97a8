import os
import subprocess
import sys
from pathlib import Path


def test_a_warmed_cache_holds_every_kernel_that_training_and_answering_call(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": "src"}
    command = [sys.executable, "-m", "reco_app.engine.warming"]
    subprocess.run(command, env=environment, check=True)
    compiled = sorted(tmp_path.rglob("*.nbc"))
    subprocess.run(command, env=environment, check=True)
    assert compiled
    assert sorted(tmp_path.rglob("*.nbc")) == compiled
