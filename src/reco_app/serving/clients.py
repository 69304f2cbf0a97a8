"""The neighbours that answers lean on: catalog for cards, profile for preferences."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from reco_app.serving.lean import Profile
from reco_app.settings import current
from runtime import rest

CATALOG_DEADLINE_SECONDS = 0.4
PROFILE_DEADLINE_SECONDS = 0.3

Shape = TypeVar("Shape")


class _Cards(msgspec.Struct):
    products: list[dict[str, Any]]


async def cards(item_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Products on the wire by id, those that catalog knows. Raises Unavailable."""
    catalog = rest.connect("catalog", current().catalog_url)
    reply = await catalog.post(
        "/v1/products:batch",
        json={"ids": list(item_ids)},
        deadline_seconds=CATALOG_DEADLINE_SECONDS,
    )
    if reply.status != 200:
        raise rest.Unavailable("catalog", f"it answered {reply.status}")
    told = _decoded("catalog", reply.body, shape=_Cards)
    return {product["id"]: product for product in told.products if "id" in product}


async def profile(slug: str) -> Profile | None:
    """A preference profile, or None if there is none of that name. Raises Unavailable."""
    neighbour = rest.connect("profile", current().profile_url)
    reply = await neighbour.get(f"/v1/profiles/{slug}", deadline_seconds=PROFILE_DEADLINE_SECONDS)
    if reply.status == 404:
        return None
    if reply.status != 200:
        raise rest.Unavailable("profile", f"it answered {reply.status}")
    return _decoded("profile", reply.body, shape=Profile)


def _decoded(neighbour: str, body: bytes, *, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.MsgspecError as error:
        raise rest.Unavailable(neighbour, "its answer is not what it promised") from error
