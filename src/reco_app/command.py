"""The `multireco` command: Django's own, with this project's settings."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line
from dotenv import load_dotenv

from runtime import ending

OF_A_RUNNING_DEMO = Path(".data/env")
STORELESS = {"drill", "evaluate", "version", "--version", "help"}
HELP = {"-h", "--help"}
NO_STORES = {
    "MULTIRECO_SECRET_KEY": "nothing-is-signed-without-a-store",
    "MULTIRECO_DATABASE_URL": "postgresql://none@127.0.0.1:1/none",
    "MULTIRECO_BROKER_URL": "redis://127.0.0.1:1/0",
    "MULTIRECO_MODEL_DIR": "build/models",
}


def main() -> None:
    """Run a management command; where no address is given, on the demo of this folder.

    A command that touches no store needs no address at all.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reco_app.settings")
    if "MULTIRECO_DATABASE_URL" not in os.environ:
        load_dotenv(OF_A_RUNNING_DEMO)
    if STORELESS & set(sys.argv[1:2]) or HELP & set(sys.argv):
        for variable, value in NO_STORES.items():
            os.environ.setdefault(variable, value)
    ending.heed_sigterm()
    execute_from_command_line(sys.argv)
