"""The three components: which paths are whose, and how each is run or reached."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, cast

import httpx2
from a2wsgi import WSGIMiddleware

from runtime import rest, transports
from runtime.asgi import ASGIApp, Receive, Scope, Send
from runtime.edge.forwarding import forwarder
from runtime.edge.lifespans import running
from runtime.shell import shell

_WSGI = frozenset({"profile"})
_CONDITION_SECONDS = 1.5  # below what a probe may take, so that who is slow can still be named
_PATHS = (
    ("/v1/recommendations", "reco"),
    ("/v1/events", "reco"),
    ("/v1/products", "catalog"),
    ("/v1/categories", "catalog"),
    ("/v1/profiles", "profile"),
    ("/v1/preferences", "profile"),
    ("/internal/catalog/", "catalog"),
    ("/internal/profile/", "profile"),
    ("/openapi/catalog.json", "catalog"),
    ("/openapi/profile.json", "profile"),
)


def owner(path: str) -> str:
    """The component that answers `path`: reco, where it is nobody else's."""
    for prefix, name in _PATHS:
        if path.startswith(prefix):
            return name
    return "reco"


@dataclass
class Components:
    """The components as the router reaches them.

    `entries`: name → module:attribute of its application, in the order in which they start.
    `urls`: name → base URL of those that run elsewhere.
    """

    entries: Mapping[str, str]
    urls: Mapping[str, str]
    _apps: dict[str, ASGIApp] = field(default_factory=dict)
    _states: dict[str, dict[str, Any]] = field(default_factory=dict)

    def load(self) -> None:
        """Import those that are mounted here, and no others: each needs settings of its own."""
        for name, entry in self.entries.items():
            if not self.urls.get(name):
                self._apps[name] = _mounted(name, entry)

    @asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """Start every component or its forwarder; stop them in the opposite order."""
        async with AsyncExitStack() as stack:
            for name in self.entries:
                if url := self.urls.get(name):
                    self._apps[name], client = forwarder(name, url)
                    stack.push_async_callback(client.aclose)
                    continue
                rest.mount(name, self._apps[name])
                stack.callback(rest.unmount, name)
                self._states[name] = await stack.enter_async_context(running(self._apps[name]))
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request by the component that owns its path."""
        name = owner(scope["path"])
        if state := self._states.get(name):
            scope["state"] = dict(state)
        await self._apps[name](scope, receive, send)

    async def readiness(self) -> Mapping[str, str]:
        """What each component says of itself; without reco there is nothing worth routing to."""
        told = await asyncio.gather(*map(self._condition, self.entries))
        return dict(zip(self.entries, told, strict=True))

    async def _condition(self, name: str) -> str:
        client = transports.client(name, self.urls.get(name))
        try:
            async with asyncio.timeout(_CONDITION_SECONDS):  # a mounted one has no other deadline
                status = str((await client.get("/readyz")).json()["status"])
        except (httpx2.HTTPError, TimeoutError, ValueError):
            status = "unready"
        if status == "unready" and name != "reco":
            return "away"
        return "ok" if status == "ready" else status


def _mounted(name: str, entry: str) -> ASGIApp:
    module_name, _, attribute = entry.partition(":")
    module = import_module(module_name)
    app = getattr(module, attribute)
    if name not in _WSGI:
        return app  # type: ignore[no-any-return]  # found by name
    bridged = cast("ASGIApp", WSGIMiddleware(app))
    own = httpx2.AsyncClient(transport=httpx2.ASGITransport(bridged), base_url=f"http://{name}")

    async def readiness() -> Mapping[str, str]:
        checks: dict[str, str] = (await own.get("/readyz")).json()["checks"]
        return checks

    return shell(
        bridged,
        component=name,
        readiness=readiness,
        body_limits=getattr(module, "BODY_LIMITS", {}),
    )
