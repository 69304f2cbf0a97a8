"""The import contracts are kept, and break when a border is crossed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CROSSINGS = [
    ("profile_app/service.py", "catalog_app.money", "The three apps never import one another"),
    ("runtime/health.py", "reco_app.settings", "runtime knows no app"),
    ("reco_app/engine/rank.py", "django.conf", "The engine is plain numerics"),
    ("reco_app/serving/contracts.py", "reco_app.serving.api", "Knowledge runs down in serving"),
]


def lint_imports(source: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            Path(sys.executable).with_name("lint-imports"),
            "--no-cache",
            "--config",
            "pyproject.toml",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_import_contract_is_kept() -> None:
    checked = lint_imports(ROOT / "src")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(("module", "imported", "contract"), CROSSINGS)
def test_a_crossed_border_is_refused(
    module: str, imported: str, contract: str, tmp_path: Path
) -> None:
    source = tmp_path / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    with (source / module).open("a") as code:
        code.write(f"\nimport {imported}\n")
    checked = lint_imports(source)
    assert checked.returncode == 1
    assert f"{contract} BROKEN" in checked.stdout
