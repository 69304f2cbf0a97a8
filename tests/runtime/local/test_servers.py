import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from runtime.local.servers import Server, ServerFailed, accepts, free_port

LISTEN = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1])));"


def start(port: int, log: Path, code: str) -> Server:
    argv = [sys.executable, "-c", LISTEN + code, str(port)]
    return Server("a server", argv, log=log, ready=lambda: accepts(port))


def test_a_server_that_ends_early_is_reported_with_its_log(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    server = Server("a server", [sys.executable, "-c", "exit(3)"], log=log, ready=lambda: False)
    with pytest.raises(ServerFailed, match=rf"a server ended with 3; its log is {log}"):
        server.wait_until_ready()


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    code = "import time; time.sleep(60)"
    server = Server("a server", [sys.executable, "-c", code], log=tmp_path / "l", ready=bool)
    with pytest.raises(ServerFailed, match="did not answer in 0 s"):
        server.wait_until_ready(0.2)
    server.stop()


def test_a_server_that_ignores_the_request_to_stop_is_ended(tmp_path: Path) -> None:
    port = free_port()
    server = start(
        port,
        tmp_path / "log",
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
    )
    server.wait_until_ready()
    time.sleep(0.2)  # the port is open a moment before the signal is ignored
    server.stop(seconds=0.3)
    assert not server.running()
    assert server.child.returncode == -signal.SIGKILL


def test_a_server_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    port = free_port()
    supervisor = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(f"""
                import sys, time
                from runtime.local.servers import Server, accepts
                code = {LISTEN + "time.sleep(60)"!r}
                server = Server("a server", [sys.executable, "-c", code, "{port}"], log=None,
                                ready=lambda: accepts({port}))
                server.wait_until_ready()
                print(server.child.pid, flush=True)
                time.sleep(60)
            """),
        ],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert supervisor.stdout is not None
    child = psutil.Process(int(supervisor.stdout.readline()))
    supervisor.kill()
    supervisor.communicate()
    child.wait(timeout=5)
    assert not accepts(port)
