"""`python -m bench.release_load FOLDER`: take the live release of a model store into use.

The process has a small release in use before, so that nothing is left to import or to compile.
"""

import asyncio
import gc
import json
import os
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

import msgspec  # noqa: E402  # what follows reads Django's settings

from bench import logs, small  # noqa: E402
from reco_app.engine import release  # noqa: E402
from reco_app.serving import follow, live, releases, service  # noqa: E402
from reco_app.serving.contracts import Request  # noqa: E402
from reco_app.settings import current  # noqa: E402

ROUNDS = 9
ANSWERS = 1000


def main(source: Path) -> None:
    model_dir, large = current().model_dir, release.live_version(source)
    if large is None:
        raise SystemExit(f"no release is live in {source}")
    little = small.publish(model_dir, small.index(1), 0)
    os.symlink(release.release_path(source, large), release.release_path(model_dir, large))
    requests = [msgspec.json.decode(body, type=Request) for body in logs.groceries_requests()]
    _switch(model_dir, little)
    asyncio.run(_answer(requests[-50:]))
    before = _private_mb()
    _switch(model_dir, large)
    loaded = _private_mb()
    asyncio.run(_answer(requests[:ANSWERS]))
    figures = {
        "release.private_mb": _private_mb() - before,
        "release.private_mb_before_answers": loaded - before,
    }
    seconds = []
    for _ in range(ROUNDS):
        _switch(model_dir, little)
        seconds.append(_switch(model_dir, large))
    figures["release.load_ms"] = 1e3 * statistics.median(seconds)
    files = release.release_path(source, large).iterdir()
    figures["release.size_mb"] = sum(path.stat().st_size for path in files) / 1e6
    sys.stdout.write(json.dumps(figures))


def _switch(model_dir: Path, version: str) -> float:
    """How many seconds the process takes to follow the pointer."""
    release.set_live(model_dir, version)
    began = time.perf_counter()
    releases.follow_release()
    seconds = time.perf_counter() - began
    model = live.current().model
    if model is None or model.version != version:
        raise SystemExit(f"{version} is not in use: {releases.trouble()}")
    return seconds


async def _answer(requests: list[Request]) -> None:
    """As answers are given once the catalogue was read."""
    live.change(lambda state: follow.caught_up(state, state.shelf.version))
    for request in requests:
        await service.recommend(request, now=datetime.now(UTC))


def _private_mb() -> float:
    """Anonymous memory: neither shared with other processes nor backed by the release's files."""
    gc.collect()
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return float(line.split()[1]) * 1024 / 1e6
    raise SystemExit("this system does not tell what memory is a process's own")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
