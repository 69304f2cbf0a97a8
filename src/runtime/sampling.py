"""Which traces are kept. The edge decides, by a die; what is inside follows its decision."""

from collections.abc import Sequence
from random import random

from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes

from runtime import context

# What the gateway says of a trace that a caller began, with `outside`: keeping it is not decided.
VENDOR = "multireco"


class Share(Sampler):
    """Keeps a share of the traces, whatever their ids: a caller may have chosen those.

    A caller's tracestate ends here, as it may hold anything.
    """

    def __init__(self, share: float) -> None:
        self._share = share

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        kept = random() < self._share
        return SamplingResult(Decision.RECORD_AND_SAMPLE if kept else Decision.DROP, attributes)

    def get_description(self) -> str:
        return f"Share({self._share:g})"


class _NotKept(Share):
    """Follows whoever decided; of what came through the gateway nobody has yet."""

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        *more: object,
        **told: object,
    ) -> SamplingResult:
        parent = get_current_span(parent_context).get_span_context()
        if parent.trace_state.get(VENDOR) != "outside":
            return SamplingResult(Decision.DROP)
        attributes: Attributes = told.get("attributes")  # type: ignore[assignment]
        return super().should_sample(parent_context, trace_id, name, attributes=attributes)


class TraceIds(RandomIdGenerator):
    """A trace begins under the id that the log tells of its request."""

    def generate_trace_id(self) -> int:
        request = context.active()
        return super().generate_trace_id() if request is None else int(request.trace_id, 16)


def inside(share: float) -> Sampler:
    """For a process that only the gateway and other components can ask."""
    return ParentBased(Share(share), remote_parent_not_sampled=_NotKept(share))


def edge(share: float) -> Sampler:
    """For a process that anybody may ask: what a caller says of sampling is not heard."""
    die = Share(share)
    return ParentBased(die, remote_parent_sampled=die, remote_parent_not_sampled=die)
