"""manage.py doctor: each dependency: ok, slow, down, and what to do."""

import sys
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Column, Table

from reco_app.serving import doctor

COLOURS = {"ok": "green", "slow": "yellow", "down": "red"}


class Command(BaseCommand):
    help = "Examine each dependency. Exit code 1 when something is down."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print for machines")

    def handle(self, *_: Any, **options: Any) -> None:
        findings = doctor.examine()
        if options["json"]:
            told = {finding.name: finding._asdict() for finding in findings}
            self.stdout.write(msgspec.json.encode(told).decode())
        else:
            Console().print(_table(findings))
        if any(finding.state == "down" for finding in findings):
            sys.exit(1)


def _table(findings: list[doctor.Finding]) -> Table:
    said, to_do = (Column(name, overflow="fold") for name in ("what it said", "what to do"))
    table = Table("dependency", "state", "ms", said, to_do)
    for finding in findings:
        colour = COLOURS[finding.state]
        milliseconds = f"{finding.seconds * 1000:.0f}"
        state = f"[{colour}]{finding.state}[/]"
        table.add_row(finding.name, state, milliseconds, finding.detail, finding.advice)
    return table
