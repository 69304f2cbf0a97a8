"""Traces: one server span a request, without anything of the caller in it."""

import os
import subprocess
import sys

SCRIPT = """
import asyncio, httpx2
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from runtime import context, rest, tracing
from runtime.asgi import answer, head_of
from runtime.shell import shell

HEAD = head_of(())
OUTSIDE = "multireco=outside"
assert tracing.configure("test")
seen = InMemorySpanExporter()
trace.get_tracer_provider()._active_span_processor._span_processors = (SimpleSpanProcessor(seen),)

async def neighbour(scope, receive, send):
    await answer(send, status=200, body=b"{}", media_type="application/json")

async def app(scope, receive, send):
    context.current().route = "/things/{id}"
    await rest.connect("catalog", "").get("/v1/products")
    await answer(send, status=200, body=b"", media_type="text/plain")

async def ready():
    return {}

async def main():
    rest.mount("catalog", shell(neighbour, component="catalog", readiness=ready))
    transport = httpx2.ASGITransport(shell(app, component="reco", readiness=ready),
                                     client=("198.51.100.7", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://it") as client:
        await client.get("/things/85123A?q=secret", headers={
            "traceparent": "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01", "User-Agent": "canary"})
    quick = shell(app, component="reco", readiness=ready, at_once=lambda scope, body: (HEAD, body))
    asked = {"type": "http", "method": "POST", "path": "/quick"}
    for ours, flags, state in (("e1", "01", ""), ("e2", "00", ""), ("e3", "00", OUTSIDE)):
        parent = f"00-{ours * 16}-{'cd' * 8}-{flags}"
        told = [(b"traceparent", parent.encode()), (b"tracestate", state.encode())]
        quick.in_one_go({**asked, "headers": told}, b"secret")
    for span in seen.get_finished_spans():
        assert span.end_time > span.start_time
        print(span.name, format(span.context.trace_id, "032x"), dict(span.attributes))

asyncio.run(main())
"""


def test_a_request_and_its_calls_are_one_trace_that_tells_nothing_of_the_caller():
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    environment["OTEL_TRACES_SAMPLER_ARG"] = "1"
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**environment, "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = ran.stdout.splitlines()
    assert [line.split(" {")[0] for line in lines] == [
        "GET unmatched " + "ab" * 16,
        "GET catalog " + "ab" * 16,
        "GET /things/{id} " + "ab" * 16,
        "POST /quick " + "e1" * 16,  # as who asked has decided; not e2
        "POST /quick " + "e3" * 16,  # which is for us to decide
    ]
    assert not any(word in ran.stdout for word in ("198.51.100.7", "canary", "85123A", "secret"))
