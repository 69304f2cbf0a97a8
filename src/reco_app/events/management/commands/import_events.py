"""Bring in an event log: `import_events FILE`."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import IO, Any

import msgspec
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from reco_app.events import feeds, importing
from reco_app.events.contracts import ImportSummary

BAD_ROWS, UNUSABLE = 1, 2


class Command(BaseCommand):
    help = (
        "Import an event log from CSV, CSV.gz, JSON Lines or Parquet with the columns "
        "session_id,item_id,timestamp[,event_type,quantity,price]. Running it twice adds nothing. "
        "Exit code 1: some rows were bad and left out; 2: the file cannot be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check only, store nothing")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def handle(self, *_: Any, file: Path, **options: Any) -> None:
        form = feeds.form_of_name(file.name)
        if form is None:
            why = "its name ends in none of .csv .csv.gz .jsonl .ndjson .parquet"
            raise CommandError(f"{file} is not an event log: {why}", returncode=UNUSABLE)
        try:
            with file.open("rb") as opened:
                summary = _import(opened, form=form, dry_run=options["dry_run"])
        except (OSError, feeds.Unreadable) as error:
            raise CommandError(f"{file}: {error}", returncode=UNUSABLE) from error
        if options["json"]:
            self.stdout.write(msgspec.json.encode(summary).decode())
        else:
            self._tell(summary, dry_run=options["dry_run"])
        if summary.rejected:
            sys.exit(BAD_ROWS)

    def _tell(self, summary: ImportSummary, *, dry_run: bool) -> None:
        for bad in summary.bad_rows:
            place = f"line {bad.line}" + (f", {bad.column}" if bad.column else "")
            self.stderr.write(f"{place}: {bad.detail}")
        if (unshown := summary.rejected - len(summary.bad_rows)) > 0:
            self.stderr.write(f"… and {unshown:,} more bad rows")
        if dry_run:
            self.stdout.write(f"{summary.accepted:,} of {summary.rows:,} rows are good.")
            return
        self.stdout.write(
            f"{summary.accepted:,} events added, {summary.duplicates:,} known before, "
            f"{summary.rejected:,} bad rows left out."
        )


def _import(file: IO[bytes], *, form: str, dry_run: bool) -> ImportSummary:
    total, reached = feeds.extent(file, form=form)
    columns = (
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[rows]:,} rows"),
        TextColumn("{task.fields[rate]:,.0f} a second"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        return importing.import_rows(
            feeds.rows(file, form=form),
            now=datetime.now(UTC),
            keep=importing.only_check if dry_run else importing.keep,
            report=_reporter(progress, total, reached),
        )


def _reporter(
    progress: Progress, total: int, reached: Callable[[int], int]
) -> Callable[[int], None]:
    started = monotonic()
    task = progress.add_task("import", total=total, rows=0, rate=0.0)

    def report(rows: int) -> None:
        rate = rows / max(monotonic() - started, 1e-9)
        progress.update(task, completed=reached(rows), rows=rows, rate=rate)

    return report
