"""`python -m bench [--full] [PART...]`: figures of speed, as a table and in build/bench.json.

A part is a module of this folder with `measure() -> dict[str, float]` (with --full:
`measure_full`), run in a process of its own; without names, all that have it. A part that fails
loses nobody else's figures, but the command ends with 1. The file keeps the figures of parts that
are not run again; `bench.machine` tells where and when each part was run.
"""

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from runtime.local.processes import ROOT

OUTPUT = ROOT / "build" / "bench.json"
PARTS = (
    *("answers", "rank", "train", "release", "publish", "filters", "start"),
    *("scaling", "autoscaling"),
)
PATIENCE_SECONDS = {"measure": 900, "measure_full": 7200}
ONE_PART = """
import importlib, json, pathlib, sys
_, part, function, target = sys.argv
figures = getattr(importlib.import_module(f"bench.{part}"), function)()
pathlib.Path(target).write_text(json.dumps(figures))
"""


def main() -> int:
    """The exit code: 1 if a part failed."""
    parser = ArgumentParser(prog="python -m bench")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART")
    parser.add_argument("--full", action="store_true", help="the long measurements")
    chosen = parser.parse_args()
    function = "measure_full" if chosen.full else "measure"
    here = [part for part in PARTS if _has(part, function)]
    failed = []
    for part in chosen.parts or here:
        began = time.monotonic()
        figures = measured(part, function)
        if figures is None:
            failed.append(part)
            continue
        _show(part, figures)
        run = {
            "command": f"python -m bench {'--full ' if chosen.full else ''}{part}",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - began),
        }
        _keep(figures, {f"{part}.{function}": run})
    for part in failed:
        sys.stderr.write(f"bench.{part} failed; its words are above.\n")
    return 1 if failed else 0


def _has(part: str, function: str) -> bool:
    module = Path(__file__).with_name(f"{part}.py")
    return module.exists() and f"def {function}(" in module.read_text()


def measured(
    part: str, function: str, *, patience_seconds: float | None = None
) -> dict[str, float] | None:
    """The figures of one part; None if it failed or took too long."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "figures.json"
        command = [sys.executable, "-c", ONE_PART, part, function, str(target)]
        process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        try:
            ended = process.wait(patience_seconds or PATIENCE_SECONDS[function])
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"bench.{part} took too long\n")
            ended = 1
        finally:
            _end(process)
        return None if ended else json.loads(target.read_text())


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _keep(figures: dict[str, float], run: dict[str, Any]) -> None:
    """Beside what is in the file by now: another run may have written since this one began."""
    kept = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
    parts = kept.get("bench.machine", {}).get("parts", {}) | run
    OUTPUT.parent.mkdir(exist_ok=True)
    told = {**kept, **figures, "bench.machine": {**machine(), "parts": parts}}
    OUTPUT.write_text(json.dumps(told, indent=1) + "\n")


def machine() -> dict[str, Any]:
    """What the figures of this machine rest on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 1e9, 1),
        "python": platform.python_version(),
        "system": platform.platform(),
        "data": os.environ.get("DATA", "../shared/data"),
    }


def _show(part: str, figures: dict[str, float]) -> None:
    table = Table("figure", "value", title=part)
    for name, value in figures.items():
        table.add_row(name, f"{value:,.4g}" if abs(value) < 100 else f"{value:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
