"""One circuit breaker a neighbour, shared by everything in the process that calls it."""

from asyncio import CancelledError
from functools import cache
from types import TracebackType

from circuitbreaker import CircuitBreaker

_FAILURES_TO_OPEN = 5
# Short, since what was healed is noticed by one neighbour after the other: of a relay, of a
# catalogue, of its store each waits in turn. Long enough to spare a dead one.
_OPEN_SECONDS = 1


class _Breaker(CircuitBreaker):  # type: ignore[misc]  # the library ships no types
    def __exit__(
        self,
        kind: type[BaseException] | None,
        trouble: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """A call that its caller gave up says nothing about the neighbour, good or bad."""
        if kind is not None and issubclass(kind, CancelledError):
            return False
        return bool(super().__exit__(kind, trouble, traceback))


@cache
def breaker(neighbour: str, *, failure: type[Exception] = Exception) -> CircuitBreaker:
    """The breaker of `neighbour`: `with` it around a call, after asking whether it is opened.

    Exceptions other than `failure` are answers like any other.
    """
    return _Breaker(
        failure_threshold=_FAILURES_TO_OPEN,
        recovery_timeout=_OPEN_SECONDS,
        expected_exception=failure,
        name=neighbour,
    )
