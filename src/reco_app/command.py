"""The `multireco` command: Django's own, with this project's settings."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line
from dotenv import load_dotenv

OF_A_RUNNING_DEMO = Path(".data/env")


def main() -> None:
    """Run a management command; where no address is given, on the demo of this folder."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reco_app.settings")
    if "MULTIRECO_DATABASE_URL" not in os.environ:
        load_dotenv(OF_A_RUNNING_DEMO)
    execute_from_command_line(sys.argv)
