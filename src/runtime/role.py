"""Runs one role so that whatever it writes is a line of the log.

`python -m runtime.role ROLE MODULE ARGUMENTS…` does what `python -m MODULE ARGUMENTS…` does, but
what is printed, warned of or raised, also before logging is set up, is JSON on standard output.
"""

import io
import logging
import os
import runpy
import sys
import threading
from pathlib import Path

from runtime import logs, settings

log = logging.getLogger("multireco.output")
FAULT = 1
MISCONFIGURED = 3  # by which gunicorn knows that another worker would end like this one


class _Printed(io.TextIOBase):
    """Takes text as standard output does, and logs each line of it."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, level: int) -> None:
        self._level = level
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *whole, self._begun = (self._begun + text).split("\n")
        for line in whole:
            if line.strip():
                log.log(self._level, "%s", line.strip())
        return len(text)

    def end(self) -> None:
        """Log what has no end of line yet."""
        self.write("\n")


def main(role: str, module: str, *arguments: str) -> int:
    """Run it; the exit code."""
    logs.configure(role, settings.log_level())
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # a line that cannot be written is not to be told of in another
    printed, told = _Printed(logging.INFO), _Printed(logging.WARNING)
    sys.stdout, sys.stderr = printed, told
    # Whoever asks for this one writes past it, as Celery does in words to a person at a terminal.
    sys.__stdout__ = Path(os.devnull).open("w")  # type: ignore[misc]  # noqa: SIM115  # to the end
    threading.excepthook = _ended_by
    sys.argv = [module, *arguments]
    try:
        return _run(module)
    finally:
        printed.end()
        told.end()


def _run(module: str) -> int:
    try:
        runpy.run_module(module, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            log.critical("%s", end.code)
            return MISCONFIGURED
        return end.code or 0
    except BaseException:  # the process's edge, which Python would tell of in words of its own
        log.critical("the role ended by a fault", exc_info=True)
        return FAULT
    return 0


def _ended_by(thread: threading.ExceptHookArgs) -> None:
    if thread.exc_value is not None:
        fault = (thread.exc_type, thread.exc_value, thread.exc_traceback)
        log.error("a thread ended by a fault", exc_info=fault)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
