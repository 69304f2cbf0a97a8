"""The split system on embedded stores, filled with the market, behind its gateway."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import orjson

from runtime.local import stores
from runtime.local.processes import start_split
from tests import debian, market, shops

CONTEXTS = [
    [market.item_id(category, number) for category in meal]
    for meal in market.MEALS
    for number in range(1, market.KINDS + 1)
]
BODIES = [
    orjson.dumps({"items": [{"item_id": item_id} for item_id in context]}).decode()
    for context in CONTEXTS
]


class Site(NamedTuple):
    """The gateway's address, and the shop behind it."""

    gateway: str
    shop: shops.Shop


@contextmanager
def running(
    start: Callable[..., Mapping[str, int]] = start_split, *, cores: set[int] | None = None
) -> Iterator[Site]:
    """Every role as one process, begun by `start`, all of them kept to `cores`."""
    own = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(prefix="multireco-split-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        os.sched_setaffinity(0, cores or own)  # children inherit it
        try:
            with (
                stores.embedded(folder, given={}) as addresses,
                shops.selling(addresses, folder, start) as shop,
                debian.gateway(folder / "nginx", at(shop.ports)) as gateway,
            ):
                os.sched_setaffinity(0, own)
                yield Site(gateway, shop)
        finally:
            os.sched_setaffinity(0, own)


def at(ports: Mapping[str, int]) -> dict[str, str]:
    """Role → host:port."""
    return {role: f"127.0.0.1:{port}" for role, port in ports.items()}
