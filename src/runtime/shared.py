"""Values that cost something to make, shared by all processes through Redis.

In one process a value is looked for and made once at a time, however many wait for it: when Redis
is emptied, each costs one computation a process. What is nearly out of date is made anew beside
those who go on with it. What cannot be made is given as it was.
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from time import time
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from runtime import metrics, redis

_PREFIX = "multireco:1:"  # another number once a value of any kind has another shape
_EARLY = 0.25  # of its time, before it is out of date
_CLOCKS_DIFFER_SECONDS = 1.0
_head = struct.Struct("<d")

Make = Callable[[Sequence[str]], Awaitable[Mapping[str, bytes]]]


class Value(NamedTuple):
    body: bytes
    fresh_until: float
    """In seconds since 1970, on the clock of who made it."""


class Found(NamedTuple):
    """By name; `trouble` is why some are missing or out of date, if they are."""

    values: dict[str, Value]
    trouble: Exception | None


_Flights = dict[str, "asyncio.Task[Found]"]


class Shared:
    """The values of one kind, which `make` makes; it leaves out the names of which there is none.

    `failure` is what `make` raises while it can make none.
    """

    def __init__(
        self,
        kind: str,
        make: Make,
        *,
        fresh_seconds: float,
        spare_seconds: float = 0.0,
        failure: type[Exception],
    ) -> None:
        self._kind = kind
        self._make = make
        self._fresh_seconds = fresh_seconds
        self._spare_seconds = spare_seconds
        self._failure = failure
        self._flights: WeakKeyDictionary[asyncio.AbstractEventLoop, _Flights] = WeakKeyDictionary()
        self._renewing: dict[str, asyncio.Task[Found]] = {}
        self._troubled: dict[str, Exception] = {}
        self._count(fresh=0, spare=0, missing=0)
        metrics.computations_total.labels(kind)

    def early(self, value: Value) -> float:
        """From when on (as `fresh_until`) a value is worth asking for again."""
        return value.fresh_until - _EARLY * self._fresh_seconds

    async def read(self, names: Iterable[str]) -> Found:
        """The values of these names: those that there are, or that can be made."""
        wanted = dict.fromkeys(names)
        flights = self._flights.setdefault(asyncio.get_running_loop(), {})
        alone = [name for name in wanted if name not in flights]
        if alone:
            _start(flights, alone, self._find(alone))
        tasks = {flights[name] for name in wanted}
        landed = [await asyncio.shield(task) for task in tasks]
        values = {name: value for found in landed for name, value in found.values.items()}
        return Found(
            {name: values[name] for name in wanted if name in values},
            next((found.trouble for found in landed if found.trouble), None),
        )

    async def _find(self, names: list[str]) -> Found:
        kept = await self._kept(names)
        now = time()
        fresh = {name: value for name, value in kept.items() if self._fresh(value, now)}
        spare = {name: value for name, value in kept.items() if name not in fresh}
        stale = {name: value for name, value in spare.items() if name in self._troubled}
        self._renew([*(name for name in fresh if self.early(fresh[name]) <= now), *stale])
        trouble = next((self._troubled[name] for name in stale), None)
        wanted = [name for name in names if name not in fresh and name not in stale]
        self._count(fresh=len(fresh), spare=len(stale), missing=len(wanted))
        if not wanted:
            return Found(fresh | stale, trouble)
        made = await self._made(wanted, spare=spare)
        return Found(fresh | stale | made.values, made.trouble or trouble)

    def _fresh(self, value: Value, now: float) -> bool:
        """Not out of date, nor made by a clock that has been put back since."""
        return 0 < value.fresh_until - now <= self._fresh_seconds + _CLOCKS_DIFFER_SECONDS

    def _renew(self, names: list[str]) -> None:
        """Make these anew beside those who use them, unless that is being done."""
        wanted = [name for name in names if name not in self._renewing]
        if wanted:
            _start(self._renewing, wanted, self._made(wanted, spare=dict.fromkeys(wanted)))

    async def _made(self, names: list[str], *, spare: Mapping[str, Value | None]) -> Found:
        """`spare`: those that are kept, and what is good enough of them while none can be made."""
        metrics.computations_total.labels(self._kind).inc(len(names))
        try:
            made = await self._make(names)
        except self._failure as trouble:
            left = {name: spare[name] for name in names if name in spare}
            self._troubled |= dict.fromkeys(left, trouble)
            return Found({name: value for name, value in left.items() if value}, trouble)
        for name in names:
            self._troubled.pop(name, None)
        await redis.drop([self._key(name) for name in names if name in spare and name not in made])
        fresh_until = time() + self._fresh_seconds
        head = _head.pack(fresh_until)
        await redis.keep(
            {self._key(name): head + body for name, body in made.items()},
            seconds=self._fresh_seconds + self._spare_seconds,
        )
        return Found({name: Value(body, fresh_until) for name, body in made.items()}, None)

    async def _kept(self, names: list[str]) -> dict[str, Value]:
        found = await redis.read([self._key(name) for name in names])
        kept = ((name, found.get(self._key(name))) for name in names)
        return {
            name: Value(value[_head.size :], *_head.unpack_from(value))
            for name, value in kept
            if value and len(value) >= _head.size  # what is shorter is not ours
        }

    def _count(self, **found: int) -> None:
        for outcome, number in found.items():
            metrics.shared_reads_total.labels(self._kind, outcome).inc(number)

    def _key(self, name: str) -> str:
        return f"{_PREFIX}{self._kind}:{name}"


def _start(flights: _Flights, names: list[str], finding: Coroutine[Any, Any, Found]) -> None:
    """Begin a task that these names fly with, until it is done."""

    def land(_: object) -> None:
        for name in names:
            flights.pop(name, None)

    task = asyncio.get_running_loop().create_task(finding)
    flights.update(dict.fromkeys(names, task))
    task.add_done_callback(land)
