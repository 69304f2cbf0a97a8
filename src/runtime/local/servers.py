"""Start and stop private servers as child processes on loopback."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h


class ServerFailed(Exception):
    """A server ended, or did not answer in time; the message says where its log is."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Whether something listens on this port of 127.0.0.1."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
        return True
    return False


def _die_with_parent() -> None:
    """Linux: a server whose supervisor is killed ends too, so that none is left behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Server:
    """One child process: started in its own session, ready when `ready` says so."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path | None,
        ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self._ready = ready
        self._stop_signal = stop_signal
        self._asked = False
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(log.open("ab")) if log else None
            self.child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                env={**os.environ, **(environment or {})},
                cwd="/" if user else None,
                user=user,
                extra_groups=[] if user else None,
                start_new_session=True,  # Ctrl-C reaches the supervisor, which stops all in order
                preexec_fn=_die_with_parent,  # noqa: PLW1509 — no thread runs here yet
            )

    def wait_until_ready(self, seconds: float = 30) -> None:
        """Block until the server answers.

        Raises: ServerFailed when it ends first, or takes longer than `seconds`.
        """
        deadline = time.monotonic() + seconds
        while not self._ready():
            where = f"its log is {self.log}" if self.log else "its words are above"
            if self.child.poll() is not None:
                raise ServerFailed(f"{self.name} ended with {self.child.returncode}; {where}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} did not answer in {seconds:.0f} s; {where}")
            time.sleep(0.03)

    def running(self) -> bool:
        return self.child.poll() is None

    def ask_to_stop(self) -> None:
        """Begin to stop it, without waiting; asked twice, some would drop what they hold."""
        if self.running() and not self._asked:
            self._asked = True
            self.child.send_signal(self._stop_signal)

    def stop(self, seconds: float = 15) -> None:
        """Ask it to end; insist after `seconds`."""
        self.ask_to_stop()
        if self.running():
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(self.child.pid, signal.SIGKILL)
                self.child.wait()


def stop_all(servers: Iterable[Server]) -> None:
    """Stop these, the last one first, each beside the others."""
    latest_first = list(servers)[::-1]
    for server in latest_first:
        server.ask_to_stop()
    for server in latest_first:
        server.stop()
