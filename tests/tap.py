"""A real receiver of OTLP over HTTP, whose spans a test can wait for."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings

from runtime.local.servers import free_port


class Tap:
    """Where it listens, and the spans that have come in."""

    def __init__(self) -> None:
        self.port = free_port()
        self.spans: list[Any] = []

    def settings(self, *, share: float) -> dict[str, str]:
        """What makes a process send its spans here, soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_TRACES_SAMPLER_ARG": str(share),
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }

    def of(self, trace_id: str) -> dict[str, Any]:
        """Name → span of one trace; of several alike the newest."""
        return {span.name: span for span in self.spans if span.trace_id.hex() == trace_id}

    def wait_for(self, told: Callable[[], bool], *, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not told():
            assert time.monotonic() < deadline, sorted({span.name for span in self.spans})
            time.sleep(0.05)

    async def receive(self, stop: threading.Event) -> None:
        settings = OtelTapHttpProtobufReceiverSettings(http_port=self.port)
        async with OtelTapHttpProtobufReceiver(settings) as receiver:
            taking = asyncio.create_task(self._take(receiver))
            while not stop.is_set():
                await asyncio.sleep(0.05)
            taking.cancel()

    async def _take(self, receiver: OtelTapHttpProtobufReceiver) -> None:
        async for span in receiver.stream_traces():
            self.spans.append(span)


@contextmanager
def listening() -> Iterator[Tap]:
    tap, stop = Tap(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(tap.receive(stop)))
    thread.start()
    try:
        yield tap
    finally:
        stop.set()
        thread.join(timeout=10)
