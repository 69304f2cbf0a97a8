"""The `multireco` command explains itself."""

import subprocess
import sys

import pytest
from django.core.checks import run_checks
from django.core.management import get_commands, load_command_class

OURS = sorted(name for name, app in get_commands().items() if app.startswith("reco_app."))


@pytest.mark.parametrize("name", OURS)
def test_each_command_tells_how_it_is_used(name):
    command = load_command_class(get_commands()[name], name)

    assert f"usage: multireco {name}" in command.create_parser("multireco", name).format_help()


def test_help_needs_no_settings(tmp_path):
    command = [sys.executable, "-c", "from reco_app.command import main; main()", "train", "-h"]
    told = subprocess.run(
        command, cwd=tmp_path, env={}, stdout=subprocess.PIPE, text=True, check=False
    )

    assert "Train a release" in told.stdout


def test_the_checks_before_every_command_ask_no_database():
    assert run_checks() == []
