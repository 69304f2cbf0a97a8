"""Ctrl-C ends a local shop with every process it started, and the next start finds its data."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest

from runtime.local.servers import free_port

# The groceries take minutes; a shop that is still empty starts and stops the same processes.
DEMO = """
import sys
from pathlib import Path
from runtime.local import demo, processes

def fill_with_nothing(data, environment):
    account = ("createsuperuser", "--noinput", "--username", "kept", "--email", "", "-v", "0")
    demo._multireco("filling", {**environment, "DJANGO_SUPERUSER_PASSWORD": "x"}, *account)
    (data / "filled").touch()

demo._fill = fill_with_nothing
start = {"demo": processes.start_mounted, "split": processes.start_split}[sys.argv[3]]
demo.serve(Path(sys.argv[1]), port=int(sys.argv[2]), start=start)
"""
# Not the stores of the tests: a shop of its own.
ENVIRONMENT = {key: value for key, value in os.environ.items() if "MULTIRECO" not in key}


@pytest.mark.parametrize("what", ["demo", "split"])
def test_ctrl_c_ends_every_process_and_keeps_the_data(what, open_folder):
    first = started(open_folder, what)
    family = psutil.Process(first.pid).children(recursive=True)
    assert len(family) > 6

    began = time.monotonic()
    first.send_signal(signal.SIGINT)

    assert first.wait(30) == 0, said_by(open_folder).read_text()
    assert time.monotonic() - began < 15
    assert [process for process in family if process.is_running()] == []
    assert "the next start takes seconds" in said_by(open_folder).read_text()
    again = started(open_folder, what)
    assert accounts(open_folder) == ["kept"]
    again.send_signal(signal.SIGINT)
    assert again.wait(30) == 0


def accounts(data: Path) -> list[str]:
    settings = dict(line.split("=", 1) for line in (data / "env").read_text().splitlines())
    with closing(psycopg2.connect(settings["MULTIRECO_DATABASE_URL"])) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT username FROM auth_user")
        return [name for (name,) in cursor]


def started(data: Path, what: str) -> subprocess.Popen[bytes]:
    """A shop that has said where to look, as `make demo` or `make split` starts it."""
    said = said_by(data)
    said.unlink(missing_ok=True)
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", DEMO, str(data), str(free_port()), what],
            env=ENVIRONMENT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + 90
    while "Ctrl-C stops it" not in said.read_text():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.1)
    time.sleep(0.5)  # it has said where to look, and watches now
    return process


def said_by(data: Path) -> Path:
    return data.with_name(f"{data.name}.said")
