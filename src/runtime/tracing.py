"""OpenTelemetry traces, off until OTEL_EXPORTER_OTLP_ENDPOINT is set.

Spans are made here rather than by an instrumentation library, which would put the caller's
address, agent and query into them, and the words of an exception.
"""

import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from random import getrandbits
from time import time_ns

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue
from pydantic import Field
from pydantic_settings import BaseSettings

from runtime import context, sampling

_enabled = False
_nothing = nullcontext()
_w3c = TraceContextTextMapPropagator()
_KEPT = "01"  # the flags of a traceparent
_TABLE = re.compile(
    r'\b(?:(?<!epoch )from|into|update|table)\s+(?:only\s+)?"?(?:[a-z_]+"?\."?)?([a-z_]+)',
    re.IGNORECASE,
)


class _Exporter(BaseSettings):
    endpoint: str = Field(default="", validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    share: float = Field(default=0.1, ge=0, le=1, validation_alias="OTEL_TRACES_SAMPLER_ARG")


def configure(component: str) -> bool:
    """Export spans under the name `component` if an endpoint is set; whether one is.

    The first call of a process counts.
    """
    return _configure(component, sampling.inside(_die()))


def configure_edge(component: str) -> bool:
    """The same for a process that anybody may ask."""
    return _configure(component, sampling.edge(_die()))


@cache
def _exporter() -> _Exporter:
    return _Exporter()


@cache
def _die() -> sampling.Share:
    return sampling.Share(_exporter().share)


def _configure(component: str, sampler: Sampler) -> bool:
    global _enabled  # noqa: PLW0603  # OpenTelemetry's provider is one for the process, too
    if not _exporter().endpoint or _enabled:
        return _enabled
    resource = Resource.create({"service.name": component, "service.namespace": "multireco"})
    provider = TracerProvider(sampler, resource, id_generator=sampling.TraceIds())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _enabled = True
    return True


def enabled() -> bool:
    """Whether spans go anywhere."""
    return _enabled


@contextmanager
def serving(
    request: context.RequestContext, *, method: str, traceparent: str, tracestate: str
) -> Iterator[None]:
    """The one server span of a request, named by its route once that is known."""
    parent = None  # a part of a batch is asked where the batch is answered
    if not trace.get_current_span().get_span_context().is_valid:
        parent = _parent(traceparent, tracestate)
    with _span("request", SpanKind.SERVER, parent=parent) as span:
        request.trace_id = format(span.get_span_context().trace_id, "032x")
        yield
        _tell(span, request, method)


def served(
    request: context.RequestContext,
    *,
    method: str,
    traceparent: str,
    tracestate: str,
    status: int,
    seconds: float,
) -> None:
    """The same of a request that is answered by now, after so many seconds that called nobody.

    Most are not kept, and pay for no span: the die is thrown first where it is for us to throw.
    """
    undecided = not traceparent or tracestate == sampling.UNDECIDED
    if undecided and not _die().throw():
        return
    parent, now = _parent(traceparent, tracestate), time_ns()
    if undecided:
        parent = sampling.kept(parent)
    began = now - int(seconds * 1e9)
    token = context.begin(request)
    span = _tracer().start_span("request", parent, kind=SpanKind.SERVER, start_time=began)
    context.end(token)
    request.trace_id = format(span.get_span_context().trace_id, "032x")
    if span.is_recording():
        _tell(span, request, method)
        span.set_attribute("http.response.status_code", status)
        span.end(now)


def _parent(traceparent: str, tracestate: str) -> Context:
    return _w3c.extract({"traceparent": traceparent, "tracestate": tracestate}, Context())


def _tell(span: Span, request: context.RequestContext, method: str) -> None:
    method, route = context.known_method(method), request.route or "unmatched"
    span.update_name(f"{method} {route}")
    span.set_attribute("http.route", route)
    span.set_attribute("http.request.method", method)
    span.set_attribute("multireco.component", request.component)


def calling(neighbour: str, what: str) -> AbstractContextManager[object]:
    """The client span of one call to a neighbour or a store; nothing outside a kept trace."""
    if not _enabled or not trace.get_current_span().is_recording():
        return _nothing
    return _span(f"{what} {neighbour}", SpanKind.CLIENT, {"peer.service": neighbour})


def stating(sql: str) -> AbstractContextManager[object]:
    """The same of one statement to PostgreSQL, of which no more is told than verb and table."""
    if not _enabled or not trace.get_current_span().is_recording():
        return _nothing
    verb = sql.split(maxsplit=1)[0].upper() if sql.strip() else ""
    told = _TABLE.search(sql)
    attributes = {"db.system.name": "postgresql", "db.operation.name": verb}
    if told:
        attributes["db.collection.name"] = told[1]
    return _span(f"{verb} {told[1] if told else 'postgresql'}", SpanKind.CLIENT, attributes)


def publishing(queue: str, causes: Sequence[str]) -> AbstractContextManager[object]:
    """The span of putting into a queue what these spans have given, each told by `here`.

    It is in the trace of the first that is kept, and linked to the others.
    """
    kept = [cause for cause in causes if cause.endswith(_KEPT)]
    if not kept:
        return _nothing
    links = [Link(trace.get_current_span(_from(cause)).get_span_context()) for cause in kept[1:]]
    attributes: dict[str, AttributeValue] = {
        "messaging.destination.name": queue,
        "messaging.batch.message_count": len(causes),
    }
    return _span(f"send {queue}", SpanKind.PRODUCER, attributes, parent=_from(kept[0]), links=links)


def working(name: str, *, cause: str = "") -> AbstractContextManager[object]:
    """The span of work that no request waits for; a trace of its own where it has no cause."""
    if not _enabled:
        return _nothing
    return _span(name, SpanKind.CONSUMER, parent=_from(cause))


def felt(name: str, *, cause: str, since: float) -> None:
    """A span from then (seconds since 1970) until now, in the trace of its cause."""
    if not _enabled:
        return
    span = _tracer().start_span(
        name, context=_from(cause), kind=SpanKind.CONSUMER, start_time=int(since * 1e9)
    )
    span.end()


def here() -> str:
    """The current span, for what it causes elsewhere; nothing where it is not kept."""
    if not _enabled:
        return ""
    span = trace.get_current_span().get_span_context()
    if not span.trace_flags.sampled:
        return ""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{_KEPT}"


def answered(status: int) -> None:
    """Note the status of the answer on the current span."""
    if not _enabled:
        return
    span = trace.get_current_span()
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))


def propagate_into(headers: MutableMapping[str, str]) -> None:
    """Let the next component join this trace and log under this request's id."""
    request = context.active()
    if request is not None:
        headers["X-Request-ID"] = request.request_id
    if _enabled:
        _w3c.inject(headers)
    elif request is not None:
        headers["traceparent"] = f"00-{request.trace_id}-{getrandbits(64):016x}-00"


def _from(cause: str) -> Context:
    return _w3c.extract({"traceparent": cause}, context=Context())


def _tracer() -> trace.Tracer:
    return trace.get_tracer("multireco")


@contextmanager
def _span(
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue] | None = None,
    *,
    parent: Context | None = None,
    links: Sequence[Link] = (),
) -> Iterator[Span]:
    with _tracer().start_as_current_span(
        name,
        context=parent,
        kind=kind,
        attributes=attributes,
        links=links,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except BaseException as error:  # whose words may hold anything; it goes on upwards
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise
