"""`python -m bench.drills [NAME...]`: break one thing at a time beneath load, and tell the harm.

A name is that of a drill, or of a part of bench that measures what drills rest on; without names,
all of them. Writes a table and build/drills.json, and ends with 1 where a bar is missed.
"""

import json
import sys
import tempfile
import traceback
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.__main__ import measured as measured_apart
from bench.drills import site
from bench.drills.faults import DRILLS
from bench.drills.run import measured
from runtime.local.processes import ROOT

OUTPUT = ROOT / "build" / "drills.json"
PARTS = ("intake", "freshness", "projection", "cache_flush", "flood")
BARS = {
    "good_percent": lambda value: value >= 99.9,
    "p99_added_ms": lambda value: value <= 100,
    "events_lost": lambda value: value == 0,
    "events_twice": lambda value: value == 0,
    "recovery_seconds": lambda value: value <= 5,
}


def main() -> int:
    """The exit code: 1 if a bar was missed or a part failed."""
    parser = ArgumentParser(prog="python -m bench.drills")
    parser.add_argument("names", nargs="*", choices=[[], *DRILLS, *PARTS], metavar="NAME")
    parser.add_argument("--keep", type=Path, help="a new folder in which logs are left")
    chosen = parser.parse_args()
    names = chosen.names or (*DRILLS, *PARTS)
    told = _drilled([name for name in names if name in DRILLS], chosen.keep)
    failed = [part for part in PARTS if part in names and not _measured(part)]
    if told:
        _show(told)
    for part in failed:
        sys.stderr.write(f"bench.{part} failed; its words are above.\n")
    return 0 if not failed and all(_met(figures) for figures in told.values()) else 1


def _drilled(names: list[str], keep: Path | None) -> dict[str, dict[str, float]]:
    if not names:
        return {}
    with tempfile.TemporaryDirectory(prefix="multireco-drills-") as made:
        folder = keep or Path(made)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        with site.running(folder) as running:
            return {name: _told(running, name) for name in names}


def _measured(part: str) -> bool:
    figures = measured_apart(part, "measure")
    if figures:
        _write(figures)
        sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return bool(figures)


def _told(running: site.Site, name: str) -> dict[str, float]:
    try:
        figures, explained = measured(running, DRILLS[name])
    except Exception:  # noqa: BLE001  # a drill that fails loses nobody else's figures
        sys.stderr.write(f"{name} failed:\n{traceback.format_exc()}")
        return {}
    sys.stdout.write(json.dumps({name: figures, "because": explained}, indent=1) + "\n")
    sys.stdout.flush()
    _write({f"{name}.{figure}": round(value, 3) for figure, value in figures.items()})
    return figures


def _met(figures: dict[str, float]) -> bool:
    return bool(figures) and all(BARS[name](value) for name, value in figures.items())


def _write(figures: dict[str, Any]) -> None:
    kept = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(kept | figures, indent=1) + "\n")


def _show(told: dict[str, dict[str, float]]) -> None:
    table = Table("drill", *BARS, "")
    for name, figures in told.items():
        cells = [f"{figures[bar]:,.4g}" if bar in figures else "" for bar in BARS]
        table.add_row(name, *cells, "" if _met(figures) else "missed")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
