"""The public routes: preference profiles and what the shoppers of a product prefer."""

from urllib.parse import urlencode

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from profile_app import document, requests, responses, service, store
from profile_app.contracts import (
    ItemPath,
    Matches,
    MatchGiven,
    NoQuery,
    PageQuery,
    Preferences,
    Profile,
    ProfilePage,
    SlugPath,
)
from runtime.problems import Problem

TAG = Tag(
    name="Profiles",
    description="Named tastes that belong to nobody: weights over category, brand and price "
    "band, mined from anonymous events and edited by the shop's staff.",
)

public = APIBlueprint(
    "public",
    __name__,
    abp_tags=[TAG],
    abp_responses=document.refused("bad-request", "invalid-fields", "rate-limited", "unavailable"),
)
public.before_request(requests.refuse_what_cannot_be_read)


@public.get(
    "/v1/profiles",
    operation_id="listProfiles",
    summary="List the preference profiles",
    description="All profiles, ordered by slug, a page at a time. Send `next` as `cursor` to go "
    "on; the `Link` header carries the same address. Any profile's slug can be named as "
    "`profile` in a request for recommendations, which then lean towards its weights.",
    responses={
        200: document.answered(
            ProfilePage, "One page.", headers={**document.CACHED, **document.LINK}
        ),
        304: document.unchanged(),
    },
)
def list_profiles(query: PageQuery) -> Response:
    found = store.profiles(after=query.cursor, limit=query.limit + 1)
    page = [Profile.model_validate(profile) for profile in found[: query.limit]]
    following = page[-1].slug if len(found) > query.limit else None
    response = responses.conditional(ProfilePage(profiles=page, next=following))
    if following:
        parameters = urlencode({"limit": query.limit, "cursor": following})
        response.headers["Link"] = f'</v1/profiles?{parameters}>; rel="next"'
    return response


@public.get(
    "/v1/profiles/<slug>",
    operation_id="readProfile",
    summary="Read one profile",
    description="The weights say how strongly the taste leans to each category path, brand and "
    "price band. `version` grows by one with every change.",
    responses={
        200: document.answered(Profile, "The profile.", headers=document.CACHED),
        304: document.unchanged(),
        **document.refused("not-found"),
    },
)
def read_profile(path: SlugPath, query: NoQuery) -> Response:
    found = store.profile(path.slug)
    if found is None:
        raise Problem("not-found", f"There is no profile {path.slug!r}. List them: /v1/profiles.")
    return responses.conditional(Profile.model_validate(found))


@public.post(
    "/v1/profiles:match",
    operation_id="matchProfiles",
    summary="Find the profiles nearest to a taste",
    description="Give either `item_ids`, products whose shoppers' preferences are compared, or "
    "`weights`, a taste outright. The score is the cosine of the two tastes over all categories, "
    "brands and price bands: 1 for the same proportions, and profiles that share nothing are "
    f"left out. At most {service.NEAREST} profiles, the nearest first. Nothing is stored.",
    responses={
        200: document.answered(Matches, "The nearest profiles."),
        **document.refused(
            "malformed-json", "body-too-slow", "body-too-large", "unsupported-media-type"
        ),
    },
)
def match_profiles(body: MatchGiven, query: NoQuery) -> Response:
    if body.item_ids:
        return responses.fresh(service.match_items(body.item_ids))
    return responses.fresh(service.match_weights(body.weights))


@public.get(
    "/v1/preferences/<item_id>",
    operation_id="readPreferences",
    summary="Read what the shoppers of a product prefer",
    description="Categories, brands and price bands that the shoppers of this product turn to, "
    "in aggregate, with at least ten sessions behind each figure. A product with fewer sessions "
    "has no preferences: 404.",
    responses={
        200: document.answered(Preferences, "The preferences.", headers=document.CACHED),
        304: document.unchanged(),
        **document.refused("not-found"),
    },
)
def read_preferences(path: ItemPath, query: NoQuery) -> Response:
    found = store.preferences([path.item_id])
    if not found:
        raise Problem(
            "not-found",
            f"No preferences are known for the product {path.item_id!r}: it is unknown, or fewer "
            "than ten sessions stand behind it.",
        )
    return responses.conditional(Preferences.model_validate(found[0]))
