"""`manage.py evaluate`: how well the engine predicts one event log after learning another."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Column, Table

from reco_app.training import evaluation, scorecard
from reco_app.training.cases import Protocol
from reco_app.training.evaluation import NothingToPredict
from reco_app.training.eventlog import EventLogUnreadable, read

GAINS = "what the engine gains over each, case by case, with 95 % bounds"


class Command(BaseCommand):
    help = "Train on one event log, predict another, and compare with well-known baselines."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--train", type=Path, required=True, help="CSV, JSON Lines or Parquet")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--test", type=Path, help="a log of the same form")
        source.add_argument("--days", type=int, help="instead: each of the log's last days")
        parser.add_argument("--cutoff", type=int, default=20, help="length of the lists (20)")
        protocol = parser.add_mutually_exclusive_group()
        protocol.add_argument("--no-repeats", action="store_true", help="each product once")
        protocol.add_argument("--hide-one", action="store_true", help="find a basket's hidden one")
        parser.add_argument("--no-tuning", action="store_true", help="search for no parameters")
        parser.add_argument("--json", action="store_true", help="one flat object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["cutoff"] < 1 or (options["days"] or 1) < 1:
            raise CommandError("--cutoff and --days are 1 or more")
        try:
            figures = _figures(options)
        except (EventLogUnreadable, NothingToPredict) as error:
            raise CommandError(str(error)) from error
        if not any(name.startswith("baseline.als.") for name in figures):
            self.stderr.write("Without als and item_knn: the library implicit is not installed.")
        if options["json"]:
            self.stdout.write(json.dumps(figures))
        else:
            Console(file=self.stdout).print(*_tables(figures))  # type: ignore[arg-type]


def _figures(options: dict[str, Any]) -> dict[str, float]:
    protocol = _protocol(options)
    cutoff: int = options["cutoff"]
    tuning = not options["no_tuning"]
    with Progress(console=Console(file=sys.stderr), transient=True) as bars:
        shown = _Shown(bars)
        train = read(options["train"])
        if options["days"]:
            runs = evaluation.evaluate_days(
                train,
                days=options["days"],
                protocol=protocol,
                cutoff=cutoff,
                progress=shown,
                tuning=tuning,
            )
            return {
                **scorecard.summary(runs, protocol=protocol, cutoff=cutoff),
                **scorecard.gains(runs, protocol=protocol, cutoff=cutoff),
            }
        test = read(options["test"])
        run = evaluation.evaluate(
            train, test, protocol=protocol, cutoff=cutoff, progress=shown, tuning=tuning
        )
        return scorecard.summary([run], protocol=protocol, cutoff=cutoff)


def _protocol(options: dict[str, Any]) -> Protocol:
    if options["hide_one"]:
        return "hide-one"
    return "no-repeats" if options["no_repeats"] else "next-item"


class _Shown:
    """Progress as bars, one for each method; begun anew for each day."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, name: str, done: int, of: int) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name)
        self._bars.update(self._tasks[name], completed=done, total=of)


def _tables(figures: dict[str, float]) -> list[Table]:
    """Methods as rows: what each is measured at; and what the engine gains over each, if told."""
    measured: dict[str, dict[str, str]] = {"engine": {}}
    gained: dict[str, dict[str, str]] = {}
    for name, value in figures.items():
        *kind, measure = name.split(".")
        if kind[:1] != ["gain"]:
            method = kind[1] if kind else "engine"
            measured.setdefault(method, {})[measure] = f"{value:.4g}"
        elif not measure.endswith(("_low", "_high")):
            low, high = figures[f"{name}_low"], figures[f"{name}_high"]
            told = f"{value:+.3f} ({low:+.3f} to {high:+.3f})"
            gained.setdefault(kind[1], {})[measure] = told
    cases, seconds = (measured["engine"].pop(name) for name in ("cases", "train_seconds"))
    caption = f"{cases} cases; trained in {seconds} s"
    return [_table(measured, caption), *([_table(gained, GAINS)] if gained else [])]


def _table(rows: dict[str, dict[str, str]], caption: str) -> Table:
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    names = (name.replace("_", " ") for name in columns)
    table = Table(Column(min_width=11), *names, box=SIMPLE, caption=caption)
    for method, row in rows.items():
        table.add_row(method, *(row.get(column, "") for column in columns))
    return table
