"""The gateway takes certificates that change, and is left alone otherwise."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

RELOAD = Path("deploy/nginx/reload.sh").resolve()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Certificates, a sleep that takes no minute, and an NGINX that only tells what it is told."""
    (tmp_path / "components").mkdir()
    (tmp_path / "components/tls.crt").write_text("first")
    programs = {"sleep": "exec /bin/sleep 0.05", "nginx": f'echo "$@" >> {tmp_path}/told'}
    for name, script in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.fixture
def watching(folder: Path) -> Iterator[None]:
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CERTIFICATES": str(folder)}
    started = subprocess.Popen([str(RELOAD)], env=environment, start_new_session=True)
    assert started.wait(5) == 0  # the image's entrypoint waits for it
    yield
    os.killpg(started.pid, 15)


def test_a_new_certificate_has_nginx_reload_once(watching, folder):
    time.sleep(0.3)
    assert not (folder / "told").exists()
    (folder / "components/tls.crt").write_text("second")
    time.sleep(0.5)
    assert (folder / "told").read_text() == "-s reload\n"
