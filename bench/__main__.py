"""`python -m bench`: every figure of speed, as a table and in build/bench.json."""

import json

from rich.console import Console
from rich.table import Table

from bench import answers, start
from runtime.local.processes import ROOT

OUTPUT = ROOT / "build" / "bench.json"


def main() -> None:
    figures = {**answers.measure(), **start.measure()}
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(figures, indent=1) + "\n")
    table = Table("figure", "value")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
