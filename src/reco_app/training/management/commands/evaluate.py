"""`manage.py evaluate`: how well the engine predicts one event log after learning another."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Column, Table

from reco_app.training import evaluation, scorecard
from reco_app.training.evaluation import NothingToPredict, Protocol
from reco_app.training.eventlog import EventLogUnreadable, read

CAPTION = "+: what the engine gains over a method, case by case, with 95 % bounds"


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
        parser.add_argument("--no-tuning", action="store_true", help="parameters as they are")
        parser.add_argument("--json", action="store_true", help="one flat object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["cutoff"] < 1 or (options["days"] or 1) < 1:
            raise CommandError("--cutoff and --days are 1 or more")
        try:
            figures = _figures(options)
        except (EventLogUnreadable, NothingToPredict) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(figures))
        else:
            Console(file=self.stdout).print(_table(figures))  # type: ignore[arg-type]


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


def _table(figures: dict[str, float]) -> Table:
    """Measures as rows, methods as columns; under a baseline, what the engine gains over it."""
    columns: dict[str, dict[str, float]] = {"engine": {}}
    for name, value in figures.items():
        *kind, measure = name.split(".")
        method = kind[1] if kind else "engine"
        row = f"+{measure}" if kind[:1] == ["gain"] else measure
        columns.setdefault(method, {})[row] = value
    table = Table(Column(no_wrap=True), caption=CAPTION)
    for method in columns:
        table.add_column(method, justify="right")
    for measure in dict.fromkeys(measure for column in columns.values() for measure in column):
        values = [column.get(measure) for column in columns.values()]
        table.add_row(measure, *("" if value is None else f"{value:.4g}" for value in values))
    return table
