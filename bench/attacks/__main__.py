"""`python -m bench.attacks [NAME...]`: attack the split system behind its gateway, on loopback.

Without names, with all there is. Writes a table and build/attacks.json, and ends with 1 where a
bar is missed.
"""

import json
import sys
import tempfile
import time
import traceback
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.attacks import (
    bodies,
    cache,
    fuzz,
    nosql,
    old_tls,
    rates,
    series,
    site,
    smuggling,
    sockets,
)
from runtime.local.processes import ROOT

OUTPUT = ROOT / "build" / "attacks.json"
# Those that measure come first: what is fuzzed into the shop stays there.
ATTACKS: dict[str, Callable[[site.Site], dict[str, float]]] = {
    "sockets": sockets.attack,
    "cache": cache.attack,
    "rates": rates.attack,
    "smuggling": smuggling.attack,
    "old_tls": old_tls.attack,
    "bodies": bodies.attack,
    "nosql": nosql.attack,
    "series": series.attack,
    "fuzz": fuzz.attack,
}
NONE = (0.0, 0.0)
# Figure → the least and the most that is good.
BARS = {
    "slow_sockets.p99_ratio": (0.0, 2.0),
    "slow_sockets.opened": (float(sockets.SOCKETS), 1e9),
    "cache.cross_talk": NONE,
    "cache.unanswered": NONE,
    "cache.checked": (10_000.0, 1e9),
    "cache.kept_percent": (10.0, 100.0),
    "rate_limit.admitted_ratio": (0.5, 1.05),
    "smuggling.second_answers": NONE,
    "smuggling.reached": NONE,
    "smuggling.astray": NONE,
    "tls.old_accepted": NONE,
    "bodies.growth_mb": (0.0, 5.0),
    "bodies.taken": NONE,
    "bodies.unrefused": NONE,
    "nosql.reached": NONE,
    "nosql.server_errors": NONE,
    "metrics.series_added": NONE,
    "fuzz.cases": (3_000.0, 1e9),
    "fuzz.server_errors": NONE,
    "fuzz.schema_mismatches": NONE,
}


def main() -> int:
    """The exit code: 1 if a bar was missed or an attack could not be made."""
    parser = ArgumentParser(prog="python -m bench.attacks")
    parser.add_argument("names", nargs="*", choices=[[], *ATTACKS], metavar="NAME")
    parser.add_argument("--keep", type=Path, help="a new folder in which logs are left")
    chosen = parser.parse_args()
    figures: dict[str, float] = {}
    failed = []
    with tempfile.TemporaryDirectory(prefix="multireco-attacks-") as made:
        folder = chosen.keep or Path(made)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        with site.running(folder) as running:
            for name in chosen.names or ATTACKS:
                told = _told(running, name)
                figures |= told
                failed += [] if told else [name]
    _write(figures, all_of_them=not chosen.names)
    _show(figures)
    missed = [name for name, value in figures.items() if not _good(name, value)]
    return 1 if failed or missed else 0


def _told(running: site.Site, name: str) -> dict[str, float]:
    began = time.monotonic()
    try:
        figures = ATTACKS[name](running)
    except Exception:  # noqa: BLE001  # an attack that fails loses nobody else's figures
        sys.stderr.write(f"{name} failed:\n{traceback.format_exc()}")
        return {}
    told = {name: figures, "seconds": round(time.monotonic() - began)}
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    sys.stdout.flush()
    return figures


def _good(name: str, value: float) -> bool:
    least, most = BARS.get(name, (-1e18, 1e18))
    return least <= value <= most


def _write(figures: dict[str, float], *, all_of_them: bool) -> None:
    """Of an attack that failed no older figure is left, unless it was not asked for."""
    kept = json.loads(OUTPUT.read_text()) if OUTPUT.exists() and not all_of_them else {}
    OUTPUT.parent.mkdir(exist_ok=True)
    rounded = {name: round(value, 3) for name, value in figures.items()}
    OUTPUT.write_text(json.dumps(kept | rounded, indent=1) + "\n")


def _show(figures: dict[str, float]) -> None:
    table = Table("figure", "measured", "at least", "at most", "")
    for name, value in figures.items():
        bars = [f"{bar:,.4g}" if abs(bar) < 1e9 else "" for bar in BARS.get(name, (1e18, 1e18))]
        table.add_row(name, f"{value:,.4g}", *bars, "" if _good(name, value) else "missed")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
