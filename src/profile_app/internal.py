"""The routes for the product's other components; never routed by the gateway."""

from datetime import UTC, datetime

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint

from profile_app import requests, responses, store
from profile_app.contracts import NoQuery, Profile, SlugPath
from profile_app.internal_contracts import (
    AllPreferencesGiven,
    Applied,
    ProfilesGiven,
    ProfilesWritten,
)
from runtime import keys
from runtime.problems import FieldError, Problem

PREFIX = "/internal/profile"
BODY_LIMIT_BYTES = 8 * 1024 * 1024

internal = APIBlueprint("internal", __name__, url_prefix=f"{PREFIX}/v1", doc_ui=False)


@internal.before_request
def admit() -> None:
    """Only who carries the internal key gets further, and may send more than the public."""
    keys.require(request.headers.get("Authorization"), "internal")
    request.max_content_length = BODY_LIMIT_BYTES
    requests.refuse_what_cannot_be_read()


@internal.put("/profiles")
def put_profiles(body: ProfilesGiven, query: NoQuery) -> Response:
    """All these profiles or none; the answer is how they are stored now."""
    try:
        written = store.put_profiles(body.profiles, now=datetime.now(UTC))
    except store.VersionConflict as conflict:
        raise _version_conflict(conflict) from None
    profiles = [Profile.model_validate(profile) for profile in written]
    return responses.fresh(ProfilesWritten(profiles=profiles))


@internal.delete("/profiles/<slug>")
def delete_profile(path: SlugPath, query: NoQuery) -> Response:
    """Remove one profile, whoever wrote it."""
    if not store.delete_profile(path.slug):
        raise Problem("not-found", f"There is no profile {path.slug!r}.")
    return Response(status=204)


@internal.put("/preferences")
def put_preferences(body: AllPreferencesGiven, query: NoQuery) -> Response:
    """All these preferences or none; each replaces what was known of its item."""
    store.put_preferences(body.preferences, now=datetime.now(UTC))
    return responses.fresh(Applied(applied=len(body.preferences)))


def _version_conflict(conflict: store.VersionConflict) -> Problem:
    errors = [
        FieldError(f"/profiles/{index}/version", f"The profile is at version {current}")
        for index, current in conflict.conflicts
    ]
    return Problem("version-conflict", "Nothing was written; see errors.", errors=errors)
