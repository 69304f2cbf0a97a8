"""What was trained, what is live, and the way back: `releases [--rollback VERSION]`."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Column, Table

from reco_app.engine.sealed import ReleaseCorrupt
from reco_app.training import service
from reco_app.training.models import Release

UNUSABLE = 2


class Command(BaseCommand):
    help = "List the releases, or make an earlier one live again. Exit code 2: it cannot be used."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rollback", metavar="VERSION", help="make this release live")
        parser.add_argument("--json", action="store_true", help="print the list as JSON")

    def handle(self, *_: Any, rollback: str | None, **options: Any) -> None:
        if rollback:
            try:
                service.switch(rollback)
            except (service.ReleaseGone, ReleaseCorrupt) as error:
                raise CommandError(str(error), returncode=UNUSABLE) from error
        releases = service.releases()
        if options["json"]:
            self.stdout.write(json.dumps([_document(release) for release in releases]))
        else:
            self.stdout.write(_table(releases))
        if wrong := service.trouble():
            self.stderr.write(wrong)


def _document(release: Release) -> dict[str, Any]:
    return {
        "version": release.version,
        "trained_at": release.trained_at.isoformat(),
        "status": release.status,
        "live": release.live,
        "note": release.note,
        "measures": release.measures,
    }


def _table(releases: list[Release]) -> str:
    table = Table(Column("version", no_wrap=True), "", "status", "note")
    for release in releases:
        live = "live" if release.live else ""
        table.add_row(release.version, live, release.status, release.note)
    console = Console()
    with console.capture() as captured:
        console.print(table)
    return captured.get()
