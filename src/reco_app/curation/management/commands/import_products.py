import gzip
import json
import sys
import zlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from reco_app.curation import feeds
from reco_app.curation.feed_rows import BadRow
from reco_app.curation.importing import MOST_RETIRED, FeedImport, Summary

NOTHING_READ = 2


class Command(BaseCommand):
    help = (
        "Bring a product feed into the record: JSON Lines, CSV, or a Google Merchant feed as TSV "
        "or XML, also compressed with gzip. Exit codes: 0 all is well, 1 some rows were rejected "
        "or something was refused, 2 nothing could be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--full", action="store_true", help="Retire products that the feed no longer has."
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help=f"With --full: also if that is more than {MOST_RETIRED:.0%}% of all products.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Check only, write nothing.")
        parser.add_argument("--json", action="store_true", help="Print the summary as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            with path.open("rb") as file:
                summary = self._import(file, options)
        except (OSError, EOFError, zlib.error) as trouble:  # gzip raises any of the three
            why = getattr(trouble, "strerror", None) or trouble
            raise CommandError(f"{path}: {why}", returncode=NOTHING_READ) from trouble
        self.stdout.write(json.dumps(summary.document()) if options["json"] else told(summary))
        if not summary.taken:
            sys.exit(NOTHING_READ)
        if not summary.flawless:
            sys.exit(1)

    def _import(self, file: BinaryIO, options: dict[str, Any]) -> Summary:
        console = Console(stderr=True, soft_wrap=True, highlight=False)
        compressed = file.read(2) == b"\x1f\x8b"
        size = file.seek(0, 2)
        file.seek(0)
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if compressed else file
        feed_format = feeds.recognise(stream.read(4096))
        stream.seek(0)
        with _progress(console) as progress:
            task = progress.add_task("products", total=size, rate="")

            def show(summary: Summary) -> None:
                elapsed = progress.tasks[0].elapsed or 1
                rate = f"{summary.rows:,} rows, {summary.rows / elapsed:,.0f}/s"
                progress.update(task, completed=file.tell(), rate=rate)

            def tell(bad: BadRow) -> None:
                where = f"{options['file'].name}:{bad.line}: {bad.column}: "
                console.print(where + bad.detail, markup=False)

            run = FeedImport(stream, feed_format, on_bad_row=tell, on_batch=show)
            _carry_out(run, options)
        return run.summary


def _carry_out(run: FeedImport, options: dict[str, Any]) -> None:
    try:
        if options["dry_run"]:
            run.check()
        else:
            run.store()
    except KeyboardInterrupt:
        raise CommandError(
            f"Stopped after {run.summary.taken:,} rows, which are stored. The same command goes "
            "on from there: rows that are stored already are only compared.",
            returncode=130,
        ) from None
    if options["full"]:
        run.retire_missing(at_most=1 if options["force"] else MOST_RETIRED)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
    )


def told(summary: Summary) -> str:
    """The summary in words, one fact a line."""
    verb = "Would bring in" if summary.dry_run else "Brought in"
    lines = [
        f"{verb} {summary.created:,} new and {summary.changed:,} changed products; "
        f"{summary.unchanged:,} were as they should be.",
    ]
    if summary.retired:
        retire = "Would retire" if summary.dry_run else "Retired"
        lines.append(f"{retire} {summary.retired:,} products that the feed no longer has.")
    if summary.rejected:
        lines.append(f"Rejected {summary.rejected:,} of {summary.rows:,} rows, named above.")
    if summary.stopped:
        lines.append(f"Stopped reading: {summary.stopped}.")
    if summary.kept:
        lines.append(f"{summary.kept[0].upper()}{summary.kept[1:]}.")
    if not summary.rows and not summary.stopped:
        lines.append("The feed holds no row.")
    return "\n".join(lines)
