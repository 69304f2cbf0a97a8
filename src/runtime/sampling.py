"""Which traces are kept. The edge decides, by a die; what is inside follows its decision."""

from collections.abc import Sequence
from random import random

from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes

from runtime import context

# What the gateway says of a trace that a caller began, with `outside`: keeping it is not decided.
_VENDOR, _OUTSIDE = "multireco", "outside"
UNDECIDED = f"{_VENDOR}={_OUTSIDE}"
_THROWN = create_key("kept")


class Share(Sampler):
    """Keeps a share of the traces, whatever their ids: a caller may have chosen those.

    A caller's tracestate ends here, as it may hold anything.
    """

    def __init__(self, share: float) -> None:
        self._share = share

    def throw(self) -> bool:
        """Whether one is kept."""
        return random() < self._share

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
        thrown = parent_context is not None and get_value(_THROWN, parent_context) is not None
        kept = thrown or self.throw()
        return SamplingResult(Decision.RECORD_AND_SAMPLE if kept else Decision.DROP, attributes)

    def get_description(self) -> str:
        return f"Share({self._share:g})"


class _NotKept(Sampler):
    """Follows whoever decided; of what came through the gateway nobody has yet."""

    def __init__(self, die: Share) -> None:
        self._die = die

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        *more: object,
        **told: object,
    ) -> SamplingResult:
        parent = get_current_span(parent_context).get_span_context()
        if parent.trace_state.get(_VENDOR) != _OUTSIDE:
            return SamplingResult(Decision.DROP)
        attributes: Attributes = told.get("attributes")  # type: ignore[assignment]
        return self._die.should_sample(parent_context, trace_id, name, attributes=attributes)

    def get_description(self) -> str:
        return f"NotKept({self._die.get_description()})"


class TraceIds(RandomIdGenerator):
    """A trace begins under the id that the log tells of its request."""

    def generate_trace_id(self) -> int:
        request = context.active()
        return super().generate_trace_id() if request is None else int(request.trace_id, 16)


def kept(parent: Context) -> Context:
    """For a span of a trace for which the die was thrown already, and that is kept."""
    return set_value(_THROWN, True, parent)


def inside(die: Share) -> Sampler:
    """For a process that only the gateway and other components can ask."""
    return ParentBased(die, remote_parent_not_sampled=_NotKept(die))


def edge(die: Share) -> Sampler:
    """For a process that anybody may ask: what a caller says of sampling is not heard."""
    return ParentBased(die, remote_parent_sampled=die, remote_parent_not_sampled=die)
