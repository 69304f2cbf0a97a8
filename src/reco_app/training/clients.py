"""The profile service: where mined preferences and profiles are put."""

from collections.abc import Sequence
from typing import Any

import stamina

from reco_app.settings import current
from runtime import rest

DEADLINE_SECONDS = 10.0
PREFERENCES_A_CALL = 1000
INTERNAL = "/internal/profile/v1"


def put_preferences(preferences: Sequence[dict[str, Any]]) -> None:
    """At most PREFERENCES_A_CALL of them. Raises Unavailable, not at the first refusal."""
    _done(_put_preferences(list(preferences)))


@stamina.retry(on=rest.Unavailable, attempts=3, wait_initial=0.5, timeout=15.0)
def _put_preferences(preferences: list[dict[str, Any]]) -> rest.Reply:
    return _profile().put_sync(
        f"{INTERNAL}/preferences",
        json={"preferences": preferences},
        deadline_seconds=DEADLINE_SECONDS,
    )


def put_profiles(profiles: Sequence[dict[str, Any]]) -> None:
    """Staff's own profiles are left as they are. Raises Unavailable."""
    _done(
        _profile().put_sync(
            f"{INTERNAL}/profiles",
            json={"profiles": list(profiles)},
            deadline_seconds=DEADLINE_SECONDS,
        )
    )


def mined_slugs() -> set[str]:
    """Profiles that training wrote and staff did not touch since. Raises Unavailable."""
    reply = _done(
        _profile().get_sync(
            "/v1/profiles", params={"limit": 100}, deadline_seconds=DEADLINE_SECONDS
        )
    )
    return {one["slug"] for one in reply.json()["profiles"] if one["source"] == "mined"}


def delete_profile(slug: str) -> None:
    """Raises Unavailable."""
    _done(
        _profile().delete_sync(f"{INTERNAL}/profiles/{slug}", deadline_seconds=DEADLINE_SECONDS),
        also=404,
    )


def _profile() -> rest.Neighbour:
    return rest.connect_unhurried("profile", current().profile_url)


def _done(reply: rest.Reply, *, also: int = 200) -> rest.Reply:
    if not (200 <= reply.status < 300 or reply.status == also):
        raise rest.Unavailable("profile", f"it answered {reply.status}")
    return reply
