"""How a neighbour is reached: which are mounted here, and one HTTP client an event loop."""

import asyncio
import os
import ssl
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import httpx2

from runtime import tls

Message = MutableMapping[str, Any]
ASGIApp = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]

# Connections are kept for as long as uvicorn keeps them less a second, lest one dies in use.
_LIMITS = httpx2.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=4.0)


class Unconnected(Exception):
    """The neighbour is neither mounted in this process nor has it an address."""


class _Mounted(NamedTuple):
    app: ASGIApp
    loop: asyncio.AbstractEventLoop | None


_mounted: dict[str, _Mounted] = {}
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, object], httpx2.AsyncClient]]
_clients = WeakKeyDictionary()


def mount(name: str, app: ASGIApp) -> None:
    """Reach `name` in memory from now on; on the running loop, if there is one."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    _mounted[name] = _Mounted(app, loop)


def unmount(name: str) -> None:
    """Forget that `name` was mounted here."""
    _mounted.pop(name, None)


def client(name: str, url: str | None) -> httpx2.AsyncClient:
    """The client for `name` on the running loop; Unconnected if there is no way to reach it."""
    mounted = None if url else _mounted.get(name)
    if not url and mounted is None:
        raise Unconnected(f"no address is set for it, and it is not mounted here: {name}")
    checked = tls.for_asking()
    destination: object = url or mounted
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    if (name, destination) not in clients:
        clients[name, destination] = _http(url, checked) if url else _in_memory(name, mounted)
    return clients[name, destination]


def _http(url: str, checked: ssl.SSLContext | bool) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        base_url=url, verify=checked, timeout=None, limits=_LIMITS, trust_env=False
    )


def _in_memory(name: str, mounted: Any) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=mounted.app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url=f"http://{name}", timeout=None)


def loop_for(name: str, url: str | None) -> asyncio.AbstractEventLoop:
    """The loop on which code that is not async has its calls to `name` made."""
    mounted = None if url else _mounted.get(name)
    if mounted is not None and mounted.loop is not None and mounted.loop.is_running():
        return mounted.loop
    return _own_loop(os.getpid())


@cache
def _own_loop(process_id: int) -> asyncio.AbstractEventLoop:
    """A loop in a thread of its own; keyed by process, for a fork takes no threads along."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=f"rest-{process_id}", daemon=True).start()
    return loop
