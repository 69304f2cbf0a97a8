"""The doors to the catalogue and the profile service, as curation uses them."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import quote

from reco_app import settings
from runtime import rest

PRODUCTS_DEADLINE_SECONDS = 10.0  # a batch is some hundred kilobytes and a bulk write
PROFILES_DEADLINE_SECONDS = 2.0


class Refused(Exception):
    """The neighbour answered, and does not take what was sent; the message says why."""


class RebuildOver(Exception):
    """The catalogue knows this rebuild no more: another was begun, or its store is a new one."""


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


def begin_rebuild() -> int:
    """Let the catalogue take what is sent from now on for newer than all it has; the number of
    this rebuild. Raises: rest.Unavailable."""
    reply = _catalog().post_sync(
        "/internal/catalog/v1/rebuilds", deadline_seconds=PRODUCTS_DEADLINE_SECONDS
    )
    generation: int = _taken(reply)["generation"]
    return generation


def withdraw_leftovers(generation: int) -> int:
    """Withdraw some products that this rebuild has not sent; of how many, 0 at the end.

    Raises: RebuildOver, rest.Unavailable.
    """
    reply = _catalog().delete_sync(
        f"/internal/catalog/v1/rebuilds/{generation}/leftovers",
        deadline_seconds=PRODUCTS_DEADLINE_SECONDS,
    )
    if reply.status == 404:
        raise RebuildOver("the catalogue has begun another rebuild, or lost its store")
    withdrawn: int = _taken(reply)["withdrawn"]
    return withdrawn


def profiles() -> list[dict[str, Any]]:
    """Every profile, by slug. Raises: rest.Unavailable."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        params = {"limit": 100} | ({"cursor": cursor} if cursor else {})
        page = _taken(
            _profile().get_sync(
                "/v1/profiles", params=params, deadline_seconds=PROFILES_DEADLINE_SECONDS
            )
        )
        found += page["profiles"]
        cursor = page["next"]
        if not cursor:
            return found


def profile(slug: str) -> dict[str, Any] | None:
    """One profile, None if there is none of this name. Raises: rest.Unavailable."""
    reply = _profile().get_sync(
        f"/v1/profiles/{quote(slug, safe='')}", deadline_seconds=PROFILES_DEADLINE_SECONDS
    )
    if reply.status == 404:
        return None
    known: dict[str, Any] = _taken(reply)
    return known


def put_profile(profile: dict[str, Any]) -> None:
    """Write a staff's profile over the version that it names, 0 for a new one.

    Raises: Conflict, Refused, rest.Unavailable.
    """
    body = {"profiles": [{**profile, "source": "staff"}]}
    _taken(
        _profile().put_sync(
            "/internal/profile/v1/profiles", json=body, deadline_seconds=PROFILES_DEADLINE_SECONDS
        )
    )


def delete_profile(slug: str) -> None:
    """Raises: rest.Unavailable."""
    path = f"/internal/profile/v1/profiles/{quote(slug, safe='')}"
    reply = _profile().delete_sync(path, deadline_seconds=PROFILES_DEADLINE_SECONDS)
    if reply.status != 404:
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
