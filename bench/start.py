"""How long a newcomer waits: `make demo` in a fresh clone to its first answer, and again."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from runtime.local.processes import ROOT
from runtime.local.servers import free_port

WANTED = 12
PATIENCE_SECONDS = 900


def measure_full() -> dict[str, float]:
    """Seconds to the first whole answer: with nothing installed, and at the second start."""
    folder = Path(tempfile.mkdtemp(prefix="multireco-start-"))
    folder.chmod(0o755)
    try:
        clone = folder / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        return {
            "demo.first_answer_seconds": _until_answered(clone),
            "demo.second_start_seconds": _until_answered(clone),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _until_answered(clone: Path) -> float:
    port = free_port()
    began = time.monotonic()
    with (clone.parent / "output.log").open("ab") as output:
        demo = subprocess.Popen(
            ["make", "demo", f"PORT={port}"],
            cwd=clone,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        while not _answers(port):
            if demo.poll() is not None or time.monotonic() - began > PATIENCE_SECONDS:
                raise RuntimeError((clone.parent / "output.log").read_text()[-2000:])
            time.sleep(0.1)
        return time.monotonic() - began
    finally:
        _interrupt(demo)


def _answers(port: int) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/recommendations",
        data=json.dumps({"items": [{"item_id": "1082185"}], "count": WANTED}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            body = json.load(answer)
            return len(body["items"]) == WANTED and body["items"][0]["source"] == "session"
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _interrupt(demo: subprocess.Popen[bytes]) -> None:
    """What Ctrl-C does: the signal goes to make and to everything in its group."""
    os.killpg(demo.pid, signal.SIGINT)
    demo.wait(60)
