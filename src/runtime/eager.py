"""Runs a coroutine up to where it first waits, so that what only waiting needs is made then.

Watches and deadlines cost a task or a timer each; a coroutine that never waits needs neither.
"""

from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """A coroutine that has begun and waits for something; await this to let it go on."""

    __slots__ = ("_awaited", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, T], awaited: Any) -> None:
        self._coroutine = coroutine
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, T]:
        awaited = self._awaited
        while True:
            try:
                try:
                    value = yield awaited
                except GeneratorExit:
                    self._coroutine.close()
                    raise
                except BaseException as raised:  # noqa: BLE001  # passed on, not caught
                    awaited = self._coroutine.throw(raised)
                else:
                    awaited = self._coroutine.send(value)
            except StopIteration as end:
                result: T = end.value
                return result


def begin(coroutine: Coroutine[Any, Any, T]) -> T | Waiting[T]:
    """The result of `coroutine` if it never waits; else what to await for it, in this task."""
    try:
        return Waiting(coroutine, coroutine.send(None))
    except StopIteration as end:
        result: T = end.value
        return result
