"""Bare frameworks that say hello, each a process of its own beside the product's."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from os import sched_setaffinity

from runtime.local.processes import ROOT, address_of
from runtime.local.servers import free_port

APPS = {"stock_django": "bench.hello_django:app", "starlette": "bench.hello_starlette:app"}


@contextmanager
def hello(app: str, *, cores: set[int]) -> Iterator[str]:
    """The URL of one process of uvicorn's that serves `app`, kept to `cores`."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--no-access-log"]
    process = subprocess.Popen(
        [*command, "--log-level", "warning"],
        cwd=ROOT,
        preexec_fn=lambda: sched_setaffinity(0, cores),
    )
    try:
        url = f"{address_of(port)}/hello"
        _wait(url)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def _wait(url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer")
