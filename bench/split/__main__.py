"""`python -m bench.split [PART...]`: the split system behind its gateway; build/split.json.

A part is a module of this folder with `measure() -> dict[str, float]`, run in a process of its
own; without names, all of them. Writes a table and the file, which keeps the figures of parts that
are not run again, and ends with 1 where a bar is missed or a part fails.
"""

import json
import os
import sys
from argparse import ArgumentParser

from rich.console import Console
from rich.table import Table

from bench.__main__ import machine, measured
from runtime.local.processes import ROOT

OUTPUT = ROOT / "build" / "split.json"
PARTS = ("overload", "gateway", "rolling", "soak")
BARS = {
    "rolling.requests": lambda value: value >= 10_000,
    "rolling.failed": lambda value: value == 0,
    "overload_3x.goodput_percent": lambda value: value >= 80,
    "overload_10x.goodput_percent": lambda value: value >= 80,
    "overload.shed_p99_ms": lambda value: value <= 50,
    "overload.recovery_seconds": lambda value: value <= 10,
    "soak.mb_per_minute": lambda value: value < 1,
    "soak.errors": lambda value: value == 0,
}
PATIENCE_SECONDS = 1200


def main() -> int:
    """The exit code: 1 if a bar was missed or a part failed."""
    parser = ArgumentParser(prog="python -m bench.split")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART")
    parser.add_argument("--soak-minutes", type=float, default=30)
    chosen = parser.parse_args()
    os.environ["SOAK_MINUTES"] = str(chosen.soak_minutes)
    patience = PATIENCE_SECONDS + 60 * chosen.soak_minutes
    well = [_is_well(part, patience) for part in chosen.parts or PARTS]
    return 0 if all(well) else 1


def _is_well(part: str, patience_seconds: float) -> bool:
    figures = measured(f"split.{part}", "measure", patience_seconds=patience_seconds)
    if figures is None:
        sys.stderr.write(f"bench.split.{part} failed; its words are above.\n")
        return False
    kept = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
    OUTPUT.parent.mkdir(exist_ok=True)
    told = {**kept, **figures, "split.machine": machine()}
    OUTPUT.write_text(json.dumps(told, indent=1) + "\n")
    missed = {name for name, value in figures.items() if name in BARS and not BARS[name](value)}
    table = Table("figure", "value", "", title=part)
    for name, value in figures.items():
        table.add_row(name, f"{value:,.4g}", "missed" if name in missed else "")
    Console().print(table)
    return not missed


if __name__ == "__main__":
    sys.exit(main())
