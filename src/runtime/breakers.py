"""One circuit breaker a neighbour, shared by everything in the process that calls it."""

from asyncio import CancelledError
from functools import cache
from time import monotonic
from types import TracebackType

from circuitbreaker import STATE_HALF_OPEN, CircuitBreaker

_FAILURES_TO_OPEN = 5
# Short, since what was healed is noticed by one neighbour after the other: of a relay, of a
# catalogue, of its store each waits in turn. Long enough to spare a dead one.
_OPEN_SECONDS = 1


class Breaker(CircuitBreaker):  # type: ignore[misc]  # the library ships no types
    """The library's, but that of many callers one tries whether the neighbour is back."""

    def admits(self) -> bool:
        """Whether to call: always while closed, else once in so many seconds.

        One that hangs would have all who ask between two trials wait for it.
        """
        if self.state == STATE_HALF_OPEN:
            self._opened = monotonic()
            return True
        return bool(self.closed)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        trouble: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """A call that its caller gave up says nothing about the neighbour, good or bad."""
        if kind is None or not issubclass(kind, CancelledError):
            super().__exit__(kind, trouble, traceback)


@cache
def breaker(neighbour: str, *, failure: type[Exception] = Exception) -> Breaker:
    """The breaker of `neighbour`: `with` it around a call, after asking whether it admits one.

    Exceptions other than `failure` are answers like any other.
    """
    return Breaker(
        failure_threshold=_FAILURES_TO_OPEN,
        recovery_timeout=_OPEN_SECONDS,
        expected_exception=failure,
        name=neighbour,
    )
