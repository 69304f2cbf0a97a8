"""manage.py drill NAME…: break one thing at a time beneath load, on servers of the drill's own."""

import os
import subprocess
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from runtime.local.processes import ROOT

DRILLS = ROOT / "bench" / "drills"
OF_THE_INSTALLATION = "MULTIRECO_"


class Command(BaseCommand):
    help = "Run drills (docs/drills.md) from a checkout. They never touch what is installed."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="+", metavar="NAME", help="as in docs/drills.md")

    def handle(self, *_: Any, **options: Any) -> None:
        if not DRILLS.is_dir():
            raise CommandError(
                "Drills break servers that they start themselves, and the image holds none. Run "
                "this in a checkout of the same version, after `make .venv/dev`, as root on "
                "Debian; docs/drills.md names the packages."
            )
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(OF_THE_INSTALLATION)
        }
        command = [sys.executable, "-m", "bench.drills", *options["names"]]
        sys.exit(subprocess.run(command, cwd=ROOT, env=own, check=False).returncode)
