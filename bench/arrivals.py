"""Open-loop load: requests leave when they are due, whether earlier ones were answered or not.

Arrivals are those of a Poisson process. The latency of a request counts from when it was due,
so that a server that stalls pays for all who came meanwhile (no "coordinated omission"). One
thread looks at the clock and the sockets every NAP_SECONDS, which is how exact the times are; it
needs a core for itself.
"""

import gc
import re
import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np

from bench.load import Load, request

CONNECTIONS = 64
SEED = 20_261_122
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
NAP_SECONDS = 5e-5
_PATIENCE_SECONDS = 10.0


class _Connection:
    """One socket: when what it waits for was due, and what has come of the answer."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.due = 0.0
        self.answer = b""

    def ask(self, wire: bytes, due: float) -> None:
        self.due, self.answer = due, b""
        self.socket.sendall(wire)

    def whole(self) -> bool:
        """Read what has come; whether the answer is complete."""
        came = self.socket.recv(1 << 20)
        if not came:
            raise ConnectionError("the server hung up in the middle of an answer")
        self.answer += came
        head, found, body = self.answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if found else None
        return length is not None and len(body) >= int(length[1])


class Answered(NamedTuple):
    """When a request was due, in seconds from the first, and what came of it."""

    due: float
    seconds: float
    status: int


def keep_asking(url: str, bodies: Sequence[str], *, rate: float, seconds: float) -> Load:
    """POST the bodies in turn, `rate` a second on average; all that was due counts."""
    answered, took = answers(url, bodies, due=arrivals(rate=rate, seconds=seconds))
    times = [answer.seconds for answer in answered]
    failed = sum(answer.status // 100 != 2 for answer in answered)
    p50, p99 = np.percentile(times, [50, 99]) * 1e3
    return Load(len(times) / took, float(p50), float(p99), failed)


def arrivals(*, rate: float, seconds: float) -> list[float]:
    """When requests are due, in seconds: `rate` of them in each, on average."""
    gaps = np.random.default_rng(SEED).exponential(1 / rate, int(rate * seconds))
    return [float(due) for due in np.cumsum(gaps)]


def answers(
    url: str, bodies: Sequence[str], *, due: Sequence[float], connections: int = CONNECTIONS
) -> tuple[list[Answered], float]:
    """What the POSTs of the bodies were answered, in the order of the answers; seconds in all."""
    address = urlsplit(url)
    wires = [request(url, body.encode()) for body in bodies]
    host, port = address.hostname or "", address.port or 80
    opened = [_Connection(host, port) for _ in range(connections)]
    gc.disable()  # its pauses would count as the server's
    try:
        return _run(opened, wires, due)
    finally:
        gc.enable()
        for connection in opened:
            connection.socket.close()


def _run(
    connections: Sequence[_Connection], wires: Sequence[bytes], due: Sequence[float]
) -> tuple[list[Answered], float]:
    poll = select.epoll()
    by_number = {connection.socket.fileno(): connection for connection in connections}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    free, answered, sent = deque(connections), list[Answered](), 0
    began = time.perf_counter()
    until = due[-1] + _PATIENCE_SECONDS
    while len(answered) < len(due):
        now = time.perf_counter() - began
        while free and sent < len(due) and due[sent] <= now:
            free.popleft().ask(wires[sent % len(wires)], due[sent])
            sent += 1
        ready = poll.poll(0)
        if not ready:
            time.sleep(NAP_SECONDS)
        for number, _ in ready:
            connection = by_number[number]
            if connection.whole():
                took = time.perf_counter() - began - connection.due
                answered.append(Answered(connection.due, took, int(connection.answer[9:12])))
                free.append(connection)
        if now > until:
            raise TimeoutError(f"{len(due) - len(answered)} of {len(due)} requests had no answer")
    return answered, time.perf_counter() - began
