"""Whole lines to standard output, some at a time and by a thread of its own.

A call to the system for each line costs more than making the line, and one that has to wait for
the reader would hold up every answer. What a killed process had put less than a moment before is
lost; one that ends by itself or is told to stop writes all.
"""

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from select import PIPE_BUF

_MOMENT_SECONDS = 0.05  # with 0.2, at 4,800 answers a second, their p99 was a third longer
_MOST_WAITING = 10_000  # lines; where the reader is slower than that, callers help to write
_BREATH_SECONDS = 2e-4  # in one go, 700 lines held up requests for 3.4 ms
_PARTS_A_BREATH = 4
_STDOUT = 1


Line = bytes | Callable[[], bytes]
"""It ends in a newline. What makes one is asked late: a row of them is made faster."""


class _Waiting:
    """The lines of this process that are still to be written."""

    def __init__(self) -> None:
        self.lines: deque[Line] = deque()
        self.some = threading.Event()
        self.told = False  # whether the thread knows of some: as the event, but quick to read
        self.one_at_a_time = threading.Lock()
        self.thread: threading.Thread | None = None


_waiting = _Waiting()


def put(line: Line) -> None:
    """Have a line written within a moment."""
    _waiting.lines.append(line)
    if not _waiting.told:
        _waiting.told = True
        _waiting.some.set()
        if _waiting.thread is None:  # else not even for the lock, which a slow reader holds
            _begin()
    if len(_waiting.lines) > _MOST_WAITING:
        _write_some()


@atexit.register
def flush() -> None:
    """Write all that has been put, now; where nobody reads any more there is nobody to tell."""
    while _write_some():
        continue


def _begin() -> None:
    with _waiting.one_at_a_time:
        if _waiting.thread is None:
            _waiting.thread = threading.Thread(target=_write_on, name="stdout", daemon=True)
            _waiting.thread.start()


def _write_on() -> None:
    while True:
        _waiting.some.wait()
        time.sleep(_MOMENT_SECONDS)
        _waiting.some.clear()
        _waiting.told = False  # only then: whoever puts a line meanwhile is written below
        while all(_write_some() for _ in range(_PARTS_A_BREATH)):
            time.sleep(_BREATH_SECONDS)


def _write_some() -> bool:
    """Write a part of what was put; whether there was any, and somebody who reads."""
    with _waiting.one_at_a_time, suppress(OSError):
        part = _part(_waiting.lines)
        begun = bool(part)
        while part:
            part = part[os.write(_STDOUT, part) :]
        return begun
    return False


def _part(lines: deque[Line]) -> bytes:
    """Lines of up to PIPE_BUF bytes together, which those of no other process come between."""
    part = b""
    with suppress(IndexError):
        while True:
            put_down = lines.popleft()
            line = put_down if isinstance(put_down, bytes) else put_down()
            if part and len(part) + len(line) > PIPE_BUF:
                lines.appendleft(line)
                break
            part += line
    return part


def _begin_anew() -> None:
    global _waiting  # noqa: PLW0603  # a fork takes neither threads nor the right to these lines
    _waiting = _Waiting()


os.register_at_fork(after_in_child=_begin_anew)
