"""Closed-loop load on one URL: wrk where it is installed, else a small asyncio loader."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np

CONNECTIONS = 8
SCRIPT = """
local bodies = {}
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local place = 0
if #bodies > 0 then
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
end
request = function()
  place = place % math.max(#bodies, 1) + 1
  return wrk.format(nil, nil, nil, bodies[place])
end
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("%d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


class Load(NamedTuple):
    """What the server did under load; `failed` counts answers other than 2xx and 3xx."""

    rps: float
    p50_ms: float
    p99_ms: float
    failed: int


def fire(url: str, *, bodies: Sequence[str] = (), seconds: int) -> Load:
    """Ask as fast as the server answers: GET, or POST of each JSON body in turn."""
    if shutil.which("wrk"):
        return _wrk(url, bodies, seconds)
    return asyncio.run(_plain(url, [body.encode() for body in bodies], seconds))


def _wrk(url: str, bodies: Sequence[str], seconds: int) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        script, listed = Path(folder) / "load.lua", Path(folder) / "bodies"
        script.write_text(SCRIPT)
        listed.write_text("".join(f"{body}\n" for body in bodies))
        size = [f"-c{CONNECTIONS}", f"-d{seconds}s", "-t1"]
        told = subprocess.run(
            ["wrk", *size, "-s", str(script), url],
            env={**os.environ, "BODIES": str(listed)},
            check=True,
            capture_output=True,
            text=True,
        )
    requests, duration, p50, p99, failed = map(int, told.stdout.splitlines()[-1].split())
    return Load(requests / duration * 1e6, p50 / 1e3, p99 / 1e3, failed)


async def _plain(url: str, bodies: Sequence[bytes], seconds: int) -> Load:
    times: list[float] = []
    failures: list[bytes] = []
    until = time.perf_counter() + seconds
    requests = [request(url, body) for body in bodies or [b""]]
    began = time.perf_counter()
    await asyncio.gather(
        *(
            _ask(url, requests[worker::CONNECTIONS] or requests, until, times, failures)
            for worker in range(CONNECTIONS)
        )
    )
    rate = len(times) / (time.perf_counter() - began)
    p50, p99 = np.percentile(times, [50, 99]) * 1e3
    return Load(rate, float(p50), float(p99), len(failures))


def request(url: str, body: bytes) -> bytes:
    """A GET, or a POST of `body`, as bytes for the wire."""
    address = urlsplit(url)
    method = "POST" if body else "GET"
    head = f"{method} {address.path or '/'} HTTP/1.1\r\nHost: {address.netloc}\r\n"
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{kind if body else ''}\r\n".encode() + body


async def _ask(
    url: str,
    requests: Sequence[bytes],
    until: float,
    times: list[float],
    failures: list[bytes],
) -> None:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    place = 0
    while (began := time.perf_counter()) < until:
        writer.write(requests[place % len(requests)])
        place += 1
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(_length(head))
        times.append(time.perf_counter() - began)
        if head[9:10] not in b"23":
            failures.append(head)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError("the loader reads answers with a Content-Length only")
