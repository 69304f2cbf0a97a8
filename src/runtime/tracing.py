"""OpenTelemetry traces, off until OTEL_EXPORTER_OTLP_ENDPOINT is set.

Spans are made here rather than by an instrumentation library, which would put the caller's
address, agent and query into them.
"""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from functools import cache
from random import getrandbits

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from pydantic import Field
from pydantic_settings import BaseSettings

from runtime import context

_enabled = False


class _Exporter(BaseSettings):
    endpoint: str = Field(default="", validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")


@cache
def configure(component: str) -> bool:
    """Export spans under the name `component` if an endpoint is set; whether one is."""
    global _enabled  # noqa: PLW0603  # OpenTelemetry's provider is one for the process, too
    if not _Exporter().endpoint or _enabled:
        return _enabled
    resource = Resource.create({"service.name": component, "service.namespace": "multireco"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _enabled = True
    return True


def enabled() -> bool:
    """Whether spans go anywhere."""
    return _enabled


@contextmanager
def serving(request: context.RequestContext, *, method: str, traceparent: str) -> Iterator[None]:
    """The one server span of a request, named by its route once that is known."""
    parent = propagate.extract({"traceparent": traceparent})
    tracer = trace.get_tracer("multireco")
    with tracer.start_as_current_span(method, context=parent, kind=SpanKind.SERVER) as span:
        request.trace_id = format(span.get_span_context().trace_id, "032x")
        yield
        route = request.route or "unmatched"
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)
        span.set_attribute("http.request.method", method)
        span.set_attribute("multireco.component", request.component)


@contextmanager
def calling(neighbour: str, method: str) -> Iterator[None]:
    """The client span of one call to a neighbour; nothing where tracing is off."""
    if not enabled():
        yield
        return
    tracer = trace.get_tracer("multireco")
    with tracer.start_as_current_span(f"{method} {neighbour}", kind=SpanKind.CLIENT) as span:
        span.set_attribute("peer.service", neighbour)
        yield


def answered(status: int) -> None:
    """Note the status of the answer on the current span."""
    if not enabled():
        return
    span = trace.get_current_span()
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))


def propagate_into(headers: MutableMapping[str, str]) -> None:
    """Let the next component join this trace and log under this request's id."""
    request = context.active()
    if request is None:
        return
    headers["X-Request-ID"] = request.request_id
    if enabled():
        propagate.inject(headers)
    else:
        headers["traceparent"] = f"00-{request.trace_id}-{getrandbits(64):016x}-00"
