"""Shops that are filled and trained once, kept in build/, and then served role by role.

A shop is filled anew when the code that fills it has changed since.
"""

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.logs import Feed
from runtime.local import stores
from runtime.local.processes import ROOT, Processes, address_of, wait_until_ready
from runtime.local.servers import free_port

_SHAPING = ("src/reco_app/*/*.py", "src/reco_app/**/*.sql", "src/**/migrations/**/*.py")
_OUT_OF_THE_WAY = "36500"  # days: no event is dropped for its age
_PATIENCE_SECONDS = 180


class Fill(NamedTuple):
    """What writes the feed of a shop, and the options that it is trained with."""

    write: Callable[[Path], Feed]
    training: tuple[str, ...] = ()


class Shop(NamedTuple):
    """A filled and trained shop: its folder, and the settings of its processes."""

    folder: Path
    environment: Mapping[str, str]


@contextmanager
def stocked(folder: Path, *, fill: Fill) -> Iterator[Shop]:
    """The shop in `folder`, its stores running.

    No other component runs: what answers need of them is in the memory of reco's process.
    """
    mark, wanted = folder / "filled", _digest()
    if not mark.exists() or mark.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "logs", ignore_errors=True)
    with stores.embedded(folder, given={}) as addresses:
        environment = {**addresses, **_settings(folder)}
        if not mark.exists():
            _fill(Shop(folder, environment), fill)
            mark.write_text(wanted)
        yield Shop(folder, environment)


@contextmanager
def serving(role: str, shop: Shop, *, given: Mapping[str, str], cores: set[int]) -> Iterator[str]:
    """The address of one process of `role`, as production starts it, kept to `cores`."""
    port = free_port()
    with ExitStack() as stack:
        environment = {**shop.environment, **given}
        processes = stack.enter_context(
            Processes(environment, shop.folder / "logs" / f"{role}-{port}")
        )
        own = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)  # a child inherits it, and so do its threads
        try:
            processes.start(role, port=port)
        finally:
            os.sched_setaffinity(0, own)
        wait_until_ready(processes, _PATIENCE_SECONDS)
        yield address_of(port)


def _fill(shop: Shop, fill: Fill) -> None:
    feed_folder = shop.folder / "feed"
    feed_folder.mkdir()
    feed = fill.write(feed_folder)
    _run(shop, "/bin/sh", "deploy/entrypoint.sh", "migrate")
    with _all_cores() as cores, serving("all", shop, given={}, cores=cores) as address:
        urls = {f"MULTIRECO_{name}_URL": address for name in ("CATALOG", "PROFILE")}
        beside = Shop(shop.folder, {**shop.environment, **urls})
        manage = (sys.executable, "manage.py")
        _run(beside, *manage, "import_products", str(feed.products))
        _run(beside, *manage, "import_events", str(feed.events))
        _run(beside, *manage, "train", *fill.training)


@contextmanager
def _all_cores() -> Iterator[set[int]]:
    own, every = os.sched_getaffinity(0), set(range(os.cpu_count() or 1))
    os.sched_setaffinity(0, every)
    try:
        yield every
    finally:
        os.sched_setaffinity(0, own)


def _run(shop: Shop, *command: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (shop.folder / "fill.log").open("ab") as output:
        subprocess.run(
            command,
            env={**os.environ, **shop.environment, "PATH": path},
            cwd=ROOT,
            stdout=output,
            stderr=output,
            check=True,
        )


def _settings(folder: Path) -> dict[str, str]:
    secret = folder / "secret"
    if not secret.exists():
        secret.write_text(secrets.token_urlsafe(48))
    return {
        "MULTIRECO_SECRET_KEY": secret.read_text(),
        "MULTIRECO_MODEL_DIR": str(folder / "models"),
        "MULTIRECO_EVENT_RETENTION_DAYS": _OUT_OF_THE_WAY,
    }


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _SHAPING for path in ROOT.glob(pattern)}):
        if "serving" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()
