"""`make demo` and `make split`: a shop with real groceries, ready to be looked at."""

import fcntl
import hashlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from runtime.local import groceries, secured, stores
from runtime.local.certificates import Authority
from runtime.local.processes import ROOT, Processes, address_of, wait_until_ready
from runtime.local.servers import ServerFailed, accepts

STAFF_NAME = "admin"
RETENTION_DAYS = "400"  # the groceries span a year, and all of it is worth training on
say = Console(highlight=False).print


class Refused(Exception):
    """The demo cannot start; the message says what to do."""


def serve(
    data: Path,
    *,
    port: int,
    start: Callable[..., Mapping[str, int]],
    authority: Authority | None = None,
) -> None:
    """Prepare the shop in `data` where it is not yet, serve it, and stop all on Ctrl-C.

    With an `authority`, `start` serves TLS at `port`, and the processes ask each other over it.
    Errors: Refused, ServerFailed, subprocess.CalledProcessError.
    """
    for stop in (signal.SIGINT, signal.SIGTERM):  # also where a script started us with `&`
        signal.signal(stop, signal.default_int_handler)
    if accepts(port):
        raise Refused(f"Port {port} is taken. Choose another: make demo PORT={port + 1}")
    with _only_one(data), stores.embedded(data, given=_given()) as addresses:
        environment = {**addresses, **_kept_settings(data)}
        _migrate(environment, data)
        with Processes(environment, data / "logs", authority) as processes:
            beside = {**environment, **processes.beside(start(processes, port=port))}
            _write_environment(data, beside)
            password = _fill(data, beside) if _new(data) else None
            wait_until_ready(processes)
            if authority:
                trusted = f"--cacert {authority.certificate} "
                _say_where(secured.address(port), password, trusted)
            else:
                _say_where(address_of(port), password)
            _watch(processes)
    say("\nStopped. Everything is kept in .data/; the next start takes seconds.")


def _fill(data: Path, environment: Mapping[str, str]) -> str:
    """Load the groceries, train and make the first staff account; returns its password."""
    made = groceries.kept_or_written(data / "feed", now=datetime.now(UTC))
    say(
        f"All times of the groceries are moved forward by {made.moved_forward.days} days: "
        "the last purchase was an hour before the first start."
    )
    password = secrets.token_urlsafe(12)
    with _compiling():
        _multireco("loading 92,331 products", environment, "import_products", str(made.products))
        _multireco(
            "loading 1.46 million purchase lines", environment, "import_events", str(made.events)
        )
    _multireco("training", environment, "train")
    _multireco(
        "making the staff account",
        {**environment, "DJANGO_SUPERUSER_PASSWORD": password},
        *("createsuperuser", "--noinput", "--username", STAFF_NAME, "--email", "", "-v", "0"),
    )
    (data / "filled").touch()
    return password


@contextmanager
def _compiling() -> Iterator[None]:
    """Compile the ranking on the other core meanwhile, and be done before training needs it."""
    command = [sys.executable, "-m", "reco_app.engine.warming"]
    with subprocess.Popen(command, cwd=ROOT) as compiler:
        try:
            yield
        except BaseException:
            compiler.terminate()
            raise


def _new(data: Path) -> bool:
    return not (data / "filled").exists()


def _migrate(environment: Mapping[str, str], data: Path) -> None:
    """Bring the databases up to date, unless this code has already done so here."""
    migrated, wanted = data / "migrated", _migrations()
    if migrated.exists() and migrated.read_text() == wanted:
        return
    log = data / "logs" / "migrate.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with _step("migrating the databases"), log.open("wb") as output:
        subprocess.run(
            ["/bin/sh", str(ROOT / "deploy/entrypoint.sh"), "migrate"],
            env=_with_path(environment),
            stdout=output,
            check=True,
        )
    migrated.write_text(wanted)


def _migrations() -> str:
    """A digest of everything that a migration rests on; looking takes no second start-up."""
    digest = hashlib.sha256((ROOT / "requirements/base.txt").read_bytes())
    for migration in sorted(ROOT.glob("src/**/migrations/**/*.py")):
        digest.update(migration.read_bytes())
    return digest.hexdigest()


def _multireco(what: str, environment: Mapping[str, str], *arguments: str) -> None:
    with _step(what):
        subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=_with_path(environment),
            check=True,
        )


@contextmanager
def _step(what: str) -> Iterator[None]:
    say(f"[bold]→[/] {what}")
    began = time.monotonic()
    yield
    say(f"  [dim]{time.monotonic() - began:.1f} s[/]")


def _with_path(environment: Mapping[str, str]) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **environment, "PATH": path}


def _watch(processes: Processes) -> None:
    """Until Ctrl-C; a process that ends by itself is an error."""
    try:
        while True:
            time.sleep(0.5)
            for name, server in processes.running.items():
                if not server.running():
                    raise ServerFailed(f"{name} ended by itself; its log is {server.log}")
    except KeyboardInterrupt:
        say("\nStopping…")


def _say_where(url: str, password: str | None, trusted: str = "") -> None:
    first_items = '[{"item_id":"1082185"},{"item_id":"981760"},{"item_id":"995242"}]'
    account = (
        f"{STAFF_NAME} / {password}" if password else f"{STAFF_NAME}, password as printed first"
    )
    say(
        Panel.fit(
            f"{url}/shop/      a storefront\n"
            f"{url}/explore/   try a recommendation and see why\n"
            f"{url}/admin/     curate ({account})\n"
            f"{url}/docs       the API",
            title="multireco is ready — Ctrl-C stops it",
        )
    )
    say(
        f"curl -sS {trusted}{url}/v1/recommendations -H 'Content-Type: application/json' "
        f"-d '{{\"items\":{first_items}}}'\n",
        markup=False,
        soft_wrap=True,
    )


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise Refused(f"A demo already runs on {data}. Stop it first (Ctrl-C).") from taken
        yield


def _given() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key.startswith("MULTIRECO_")}


def _kept_settings(data: Path) -> dict[str, str]:
    """The settings of this checkout; the secret is made once."""
    secret = data / "secret"
    if not secret.exists():
        _write_private(secret, secrets.token_urlsafe(48))
    return {
        "MULTIRECO_SECRET_KEY": secret.read_text(),
        "MULTIRECO_MODEL_DIR": str(data.resolve() / "models"),
        "MULTIRECO_EVENT_RETENTION_DAYS": RETENTION_DAYS,
    }


def _write_environment(data: Path, environment: Mapping[str, str]) -> None:
    """For the `multireco` command in another terminal while the demo runs."""
    lines = [f"{key}={value}\n" for key, value in environment.items()]
    _write_private(data / "env", "".join(lines))


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
