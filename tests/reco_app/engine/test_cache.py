import shutil
import subprocess
import sys
from pathlib import Path

from reco_app import engine

TELL = "import engine, numba; print(numba.config.CACHE_DIR)"


def test_each_state_of_the_sources_has_a_cache_of_compiled_code_of_its_own(tmp_path):
    sources = Path(engine.__file__).parent
    shutil.copytree(sources, tmp_path / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    first = _cache(tmp_path)
    assert _cache(tmp_path) == first
    with (tmp_path / "engine" / "together.py").open("a") as file:
        file.write("# changed\n")
    assert _cache(tmp_path) != first


def _cache(folder):
    ran = subprocess.run(
        [sys.executable, "-c", TELL], cwd=folder, capture_output=True, text=True, check=True
    )
    return ran.stdout
