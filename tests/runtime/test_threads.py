"""gunicorn's threads: a request knows how long it has waited for one."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from runtime.local.servers import Server, accepts, free_port

APP = """
import time
from flask import Flask
from runtime import flask, overload

app = Flask(__name__)
flask.install(app, component="test", readiness=lambda: {})

@app.get("/v1/profiles/<seconds>")
def held(seconds):
    time.sleep(float(seconds))
    return str(overload.thread.waited)
"""


@pytest.fixture
def address(tmp_path: Path):
    (tmp_path / "held.py").write_text(APP)
    port = free_port()
    command = [str(Path(sys.executable).with_name("gunicorn")), "--bind", f"127.0.0.1:{port}"]
    options = ["--worker-class", "runtime.threads.Worker", "--threads", "2", "--chdir", tmp_path]
    server = Server(
        "gunicorn",
        [*command, *map(str, options), "--no-control-socket", "held:app"],
        log=tmp_path / "log",
        ready=lambda: accepts(port),
    )
    try:
        server.wait_until_ready()
        yield f"http://127.0.0.1:{port}/v1/profiles"
    finally:
        server.stop()


def test_who_comes_while_all_threads_are_taken_has_waited(address):
    with ThreadPoolExecutor(4) as callers:
        waited = sorted(
            float(answer.text)
            for answer in callers.map(lambda _: httpx2.get(f"{address}/1"), range(4))
        )
    assert waited[1] < waited[2]
    assert waited[3] > 0.3
