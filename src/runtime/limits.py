"""How much one network may ask: counted in this process's memory, by the minute.

Behind NGINX its own limits hold for all processes together; these are those of the process that
faces the network itself.
"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil
from time import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from runtime import metrics
from runtime.asgi import ASGIApp, Receive, Scope, Send
from runtime.problems import Problem

_WINDOW_SECONDS = 60
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# What is stored costs more than what is computed, and is what a flood would use. The other calls
# with a body, such as for recommendations, only read.
_STORING = ("/v1/events", "/v1/imports/", "/v1/sessions/", "/admin/")
_READS_PER_WRITE = 4


def limited(app: ASGIApp, *, requests_per_minute: int, exempt: Callable[[str], bool]) -> ASGIApp:
    """`app` behind a limit per network; Problem rate-limited once it is used up.

    Callers on the machine itself and paths for which `exempt` is true are not counted.
    """
    counter = FixedWindowRateLimiter(MemoryStorage())
    policies = {
        "read": RateLimitItemPerMinute(requests_per_minute),
        "write": RateLimitItemPerMinute(max(1, requests_per_minute // _READS_PER_WRITE)),
    }

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        who = network(scope)
        if scope["type"] == "http" and who is not None and not exempt(scope["path"]):
            policy = _policy(scope)
            item = policies[policy]
            if not await counter.hit(item, policy, who):
                reset_at, _ = await counter.get_window_stats(item, policy, who)
                raise _used_up(policy, item.amount, reset_at)
        await app(scope, receive, send)

    return counted


def _policy(scope: Scope) -> str:
    storing = scope["method"] not in _READING and scope["path"].startswith(_STORING)
    return "write" if storing else "read"


def network(scope: Scope) -> str | None:
    """Whose requests count together: an IPv4 address, or an IPv6 /64; None for this machine.

    The server has already replaced the peer by what a trusted proxy forwarded.
    """
    client = scope.get("client")
    return None if client is None else _network(client[0])


@lru_cache(maxsize=4096)
def _network(host: str) -> str | None:
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return None if address.is_loopback else address.exploded[:19]
        address = address.ipv4_mapped
    return None if address.is_loopback else str(address)


def _used_up(policy: str, quota: int, reset_at: float) -> Problem:
    metrics.rate_limited_total.labels(policy).inc()
    wait = max(1, ceil(reset_at - time()))
    return Problem(
        "rate-limited",
        f"This network may make {quota} such requests a minute; wait {wait} seconds.",
        headers={
            "Retry-After": str(wait),
            "RateLimit": f'"{policy}";r=0;t={wait}',
            "RateLimit-Policy": f'"{policy}";q={quota};w={_WINDOW_SECONDS}',
        },
    )
