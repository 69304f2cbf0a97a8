"""Calls between components: over HTTP, or in memory where the neighbour is mounted here.

The code above it is the same: a deadline over everything, at most one retry with jitter, a
breaker, and one exception, Unavailable, for whatever kept the neighbour from answering.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple

import httpx2
import orjson
import stamina

from runtime import keys, metrics, overload, tracing, transports
from runtime.breakers import breaker

mount = transports.mount
unmount = transports.unmount

_REPEATABLE = frozenset({"GET", "PUT", "DELETE"})
_WORTH_REPEATING = frozenset({502, 503})
Parameters = Mapping[str, str | int | list[str]]


class Unavailable(Exception):
    """A neighbour gave no usable answer: it is away, too slow, broken, or not configured."""

    def __init__(self, neighbour: str, why: str) -> None:
        super().__init__(f"{neighbour} is unavailable: {why}")
        self.neighbour = neighbour
        self.why = why


class Reply(NamedTuple):
    """A neighbour's answer of any status below 500."""

    neighbour: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body parsed; Unavailable if it is not JSON."""
        try:
            return orjson.loads(self.body)
        except json.JSONDecodeError as trouble:
            raise Unavailable(self.neighbour, "its answer is not JSON") from trouble


class _Faulty(Exception):
    """An answer of 500 or above, which says as little as none."""

    def __init__(self, status: int, *, may_repeat: bool) -> None:
        super().__init__(f"it answered {status}")
        self.worth_repeating = may_repeat and status in _WORTH_REPEATING


class Neighbour:
    """One component as seen from another; safe to share between tasks and threads."""

    def __init__(self, name: str, url: str | None, headers: Mapping[str, str]) -> None:
        self.name = name
        self._url = url or None
        self._headers = headers

    async def get(
        self, path: str, *, params: Parameters | None = None, deadline_seconds: float = 1.0
    ) -> Reply:
        """GET `path`; Unavailable if no answer came within the deadline, retry included."""
        return await self._call("GET", path, None, params, deadline_seconds)

    async def post(self, path: str, *, json: Any = None, deadline_seconds: float = 1.0) -> Reply:
        """POST; repeated only if the first attempt could not connect."""
        return await self._call("POST", path, json, None, deadline_seconds)

    def get_sync(
        self, path: str, *, params: Parameters | None = None, deadline_seconds: float = 1.0
    ) -> Reply:
        """The get of code that is not async; never from the event loop's own thread."""
        return self._wait(self._call("GET", path, None, params, deadline_seconds))

    def post_sync(self, path: str, *, json: Any = None, deadline_seconds: float = 1.0) -> Reply:
        """POST from code that is not async; repeated only if it could not connect."""
        return self._wait(self._call("POST", path, json, None, deadline_seconds))

    def put_sync(self, path: str, *, json: Any = None, deadline_seconds: float = 1.0) -> Reply:
        """PUT from code that is not async; Unavailable as for get."""
        return self._wait(self._call("PUT", path, json, None, deadline_seconds))

    def delete_sync(self, path: str, *, deadline_seconds: float = 1.0) -> Reply:
        """DELETE from code that is not async; Unavailable as for get."""
        return self._wait(self._call("DELETE", path, None, None, deadline_seconds))

    def _wait(self, call: Coroutine[Any, Any, Reply]) -> Reply:
        loop = transports.loop_for(self.name, self._url)
        return asyncio.run_coroutine_threadsafe(call, loop).result()

    async def _call(
        self,
        method: str,
        path: str,
        body: Any,
        params: Parameters | None,
        deadline_seconds: float,
    ) -> Reply:
        if not breaker(self.name).admits():
            raise Unavailable(self.name, "it failed repeatedly and is being spared")
        try:
            with breaker(self.name), metrics.timed(self.name), tracing.calling(self.name, method):
                async with asyncio.timeout(deadline_seconds):
                    return await self._attempt_twice(method, self._request(path, body, params))
        except TimeoutError as trouble:
            why = f"no answer within {deadline_seconds:g} s"
            raise Unavailable(self.name, why) from trouble
        except (httpx2.HTTPError, transports.Unconnected, _Faulty) as trouble:
            raise Unavailable(self.name, str(trouble) or type(trouble).__name__) from trouble

    def _request(self, path: str, body: Any, params: Parameters | None) -> dict[str, Any]:
        headers = dict(self._headers)
        tracing.propagate_into(headers)
        if path.startswith("/internal/"):
            headers["Authorization"] = keys.internal_authorization()
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = orjson.dumps(body)
        return {"url": path, "params": params, "headers": headers, "content": content}

    async def _attempt_twice(self, method: str, request: dict[str, Any]) -> Reply:
        retrying = stamina.AsyncRetryingCaller(
            attempts=2, timeout=None, wait_initial=0.02, wait_jitter=0.08, wait_max=0.1
        )
        return await retrying(_repeatable(method), self._attempt, method, request)

    async def _attempt(self, method: str, request: dict[str, Any]) -> Reply:
        client = transports.client(self.name, self._url)
        answer = await client.request(method, **request)
        if answer.status_code >= 500:
            # Who says when to come back has too much to do: more of the same would not help.
            raise _Faulty(answer.status_code, may_repeat="Retry-After" not in answer.headers)
        return Reply(self.name, answer.status_code, answer.headers, answer.content)


def _repeatable(method: str) -> Callable[[Exception], bool]:
    def worth_repeating(trouble: Exception) -> bool:
        if isinstance(trouble, _Faulty):
            return method in _REPEATABLE and trouble.worth_repeating
        return isinstance(trouble, httpx2.ConnectError) or (
            method in _REPEATABLE
            and isinstance(trouble, httpx2.RemoteProtocolError | httpx2.ReadError)
        )

    return worth_repeating


def connect(name: str, url: str | None) -> Neighbour:
    """The neighbour `name`: at `url` if given, else the one mounted in this process."""
    return Neighbour(name, url, {})


def connect_unhurried(name: str, url: str | None) -> Neighbour:
    """The same for work that can be done later: of a neighbour that is busy it is refused first."""
    return Neighbour(name, url, {"Priority": overload.BACKGROUND.decode()})
