"""The `multireco` command: Django's own, with this project's settings."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reco_app.settings")
    execute_from_command_line(sys.argv)
