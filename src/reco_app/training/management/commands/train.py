"""Train a release on all stored events: `train`."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from reco_app.events import days
from reco_app.training import service, store

REFUSED, BUSY = 1, 2


class Command(BaseCommand):
    help = (
        "Train a release on all stored events and make it live. Exit code 1: the release was worse "
        "than popularity, and the old one stays; 2: another training is running, or somebody "
        "stores events in one long transaction."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-tuning", action="store_true", help="parameters as they are")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        started = monotonic()
        columns = (TextColumn("{task.description:34}"), BarColumn(), TimeElapsedColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            try:
                trained = service.train(
                    now=datetime.now(UTC),
                    report=_reporter(progress),
                    tuning=not options["no_tuning"],
                )
            except (store.TrainingRuns, days.StoredMeanwhile) as error:
                raise CommandError(str(error), returncode=BUSY) from error
        seconds = round(monotonic() - started, 1)
        if options["json"]:
            self.stdout.write(json.dumps(trained._asdict() | {"train_seconds": seconds}))
        else:
            self._tell(trained, seconds)
        if not trained.live:
            raise SystemExit(REFUSED)

    def _tell(self, trained: service.Trained, seconds: float) -> None:
        for warning in trained.warnings:
            self.stderr.write(warning)
        facts = trained.facts
        self.stdout.write(
            f"{facts['events']:,} events of {facts['sessions']:,} sessions, {facts['items']:,} "
            f"products, in {seconds} s: {trained.note}."
        )
        became = "is live" if trained.live else "was refused; the live release stays"
        self.stdout.write(f"Release {trained.version} {became}.")


def _reporter(progress: Progress) -> service.Report:
    tasks: dict[str, Any] = {}

    def report(step: str, done: int, total: int) -> None:
        if step not in tasks:
            tasks[step] = progress.add_task(step, total=total)
        progress.update(tasks[step], completed=done, total=total)

    return report
