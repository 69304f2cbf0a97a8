"""How much one network may ask, by the minute: counted in this process's memory, and in Redis for
all processes together; while Redis is away or slow the former alone holds.

Behind NGINX its own limits hold; these are those of the processes that face the network themselves.
In Redis a network has a name that cannot be read, another each day, for a minute.
"""

from hashlib import blake2b
from ipaddress import IPv6Address, ip_address
from math import ceil
from time import time
from weakref import WeakKeyDictionary

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.asyncio import Redis

from runtime import metrics, redis, settings
from runtime.asgi import ASGIApp, Receive, Scope, Send
from runtime.problems import Problem

_WINDOW_SECONDS, _DAY_SECONDS = 60, 86_400
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# What is stored costs more than what is computed, and is what a flood would use. The other calls
# with a body, such as for recommendations, only read.
_STORING = ("/v1/events", "/v1/imports/", "/v1/sessions/", "/admin/")
_READS_PER_WRITE = 4
_FILES_PER_READ = 10  # a page has some thirty

_counters: WeakKeyDictionary[Redis, FixedWindowRateLimiter] = WeakKeyDictionary()


def limited(app: ASGIApp, *, requests_per_minute: int) -> ASGIApp:
    """`app` behind a limit per network; Problem rate-limited once it is used up.

    Callers on the machine itself are not counted.
    """
    here = FixedWindowRateLimiter(MemoryStorage())
    policies = {
        "read": RateLimitItemPerMinute(requests_per_minute),
        "write": RateLimitItemPerMinute(max(1, requests_per_minute // _READS_PER_WRITE)),
        "file": RateLimitItemPerMinute(requests_per_minute * _FILES_PER_READ),
    }

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        who = network(scope)
        if scope["type"] == "http" and who is not None:
            policy = _policy(scope)
            item = policies[policy]
            unnamed = _unnamed(who, int(time() // _DAY_SECONDS))
            # Here first: a flood is turned away without asking Redis.
            reset_at = await _over(here, item, policy, unnamed)
            reset_at = reset_at or await _over_everywhere(item, policy, unnamed)
            if reset_at:
                raise _used_up(policy, item.amount, reset_at)
        await app(scope, receive, send)

    return counted


async def _over_everywhere(item: RateLimitItem, policy: str, who: str) -> float:
    """`_over` in Redis; 0 while it does not tell."""

    async def ask(client: Redis) -> float:
        counter = _counters.get(client)
        if counter is None:
            storage = RedisStorage(
                "async+redis://",
                implementation="redispy",
                connection_pool=client.connection_pool,  # type: ignore[arg-type]  # as documented
            )
            counter = _counters[client] = FixedWindowRateLimiter(storage)
        return await _over(counter, item, policy, who)

    return await redis.asked(ask, otherwise=0.0)


async def _over(
    counter: FixedWindowRateLimiter, item: RateLimitItem, policy: str, who: str
) -> float:
    """Count one more; when the next window begins if that was too many, else 0."""
    if await counter.hit(item, policy, who):
        return 0.0
    return (await counter.get_window_stats(item, policy, who)).reset_time


def _unnamed(who: str, day: int) -> str:
    secret = settings.current().secret_key.get_secret_value().encode()
    key = blake2b(secret, person=b"network", digest_size=32).digest()
    return blake2b(f"{day} {who}".encode(), key=key, digest_size=12).hexdigest()


def _policy(scope: Scope) -> str:
    reading = scope["method"] in _READING
    if reading and scope["path"].startswith("/static/"):
        return "file"
    return "read" if reading or not scope["path"].startswith(_STORING) else "write"


def network(scope: Scope) -> str | None:
    """Whose requests count together: an IPv4 address, or an IPv6 /64; None for this machine.

    The server has already replaced the peer by what a trusted proxy forwarded.
    """
    client = scope.get("client")
    return None if client is None else _network(client[0])


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
