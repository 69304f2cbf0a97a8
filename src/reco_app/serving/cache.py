"""What the neighbours told, shared by all serving processes, and kept for bad times."""

from collections.abc import Sequence

import msgspec

from reco_app.serving import clients
from runtime import rest
from runtime.shared import Shared

FRESH_SECONDS = 2.0  # staff see an edit within three seconds
SPARE_SECONDS = 3600.0


async def _cards(item_ids: Sequence[str]) -> dict[str, bytes]:
    told = await clients.cards(item_ids)
    return {item_id: msgspec.json.encode(card) for item_id, card in told.items()}


async def _profiles(slugs: Sequence[str]) -> dict[str, bytes]:
    (slug,) = slugs  # a request names one
    told = await clients.profile(slug)
    return {slug: msgspec.json.encode(told)} if told else {}


cards = Shared(
    "card",
    _cards,
    fresh_seconds=FRESH_SECONDS,
    spare_seconds=SPARE_SECONDS,
    failure=rest.Unavailable,
)
profiles = Shared(
    "profile",
    _profiles,
    fresh_seconds=FRESH_SECONDS,
    spare_seconds=SPARE_SECONDS,
    failure=rest.Unavailable,
)
