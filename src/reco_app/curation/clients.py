"""The doors to the catalogue and the profile service, as curation uses them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from reco_app import settings
from runtime import rest

PRODUCTS_DEADLINE_SECONDS = 10.0  # a batch is some hundred kilobytes and a bulk write
PROFILES_DEADLINE_SECONDS = 2.0


class Refused(Exception):
    """The neighbour answered, and does not take what was sent; the message says why."""


class Conflict(Exception):
    """The profile has changed since it was read."""


@cache
def _catalog() -> rest.Neighbour:
    return rest.connect("catalog", settings.current().catalog_url)


@cache
def _profile() -> rest.Neighbour:
    return rest.connect("profile", settings.current().profile_url)


def put_products(cards: Sequence[dict[str, Any]]) -> None:
    """Bring the read model to these states, at most 500. Raises: rest.Unavailable, Refused."""
    reply = _catalog().put_sync(
        "/internal/catalog/v1/products",
        json={"products": cards},
        deadline_seconds=PRODUCTS_DEADLINE_SECONDS,
    )
    _taken(reply)


def _taken(reply: rest.Reply) -> Any:
    """The body of a good answer; trouble that repeating cannot mend is told apart."""
    if reply.status == 409:
        raise Conflict(reply.json().get("detail", ""))
    if reply.status in (400, 413, 422):
        raise Refused(reply.body.decode(errors="replace")[:2000])
    if reply.status >= 300:
        raise rest.Unavailable(reply.neighbour, f"it answered {reply.status}")
    return reply.json() if reply.body else None
