"""/v1/recommendations and /v1/recommendations/why."""

from typing import Any, get_args

from reco_app.engine.rank import SCENARIOS
from reco_app.serving.contracts import (
    DECIMAL_PATTERN,
    DEFAULT_COUNT,
    MAX_COUNT,
    MAX_EXCLUDED,
    MAX_FILTER_VALUES,
    MAX_ITEMS,
    SLUG_PATTERN,
    CardField,
)
from reco_app.serving.openapi.parts import CACHED, KEY, Document, answered, body, refused

JSON = ("application/json",)
_ID = {"type": "string", "pattern": "^[A-Za-z0-9._~-]{1,64}$"}
_ITEM = {
    "type": "string",
    "pattern": (
        r"^((view|click|add-to-cart|purchase):)?[A-Za-z0-9._~-]{1,64}"
        r"(\*([1-9][0-9]{0,3}|10000))?$"
    ),
}
_MONEY = {"type": "string", "pattern": DECIMAL_PATTERN.removesuffix(r"(?!\n)")}
_SLUG = {"type": "string", "pattern": SLUG_PATTERN.removesuffix(r"(?!\n)")}
_NAME = {"type": "string", "minLength": 1, "maxLength": 300}
_EXAMPLE = {
    "scenario": "basket",
    "items": [
        {"item_id": "85123A", "event_type": "view", "age_seconds": 40},
        {"item_id": "22423", "event_type": "add-to-cart", "quantity": 2},
    ],
    "count": 12,
    "filter": {"category": ["Home"], "price_max": "30.00"},
}
_REFUSALS = ("bad-request", "method-not-allowed", "invalid-fields", "rate-limited")
_BODY_REFUSALS = (
    "malformed-json",
    "method-not-allowed",
    "body-too-slow",
    "body-too-large",
    "unsupported-media-type",
    "invalid-fields",
    "rate-limited",
)


def paths() -> Document:
    return {
        "/v1/recommendations": {"get": _get(), "post": _post()},
        "/v1/recommendations/why": {"post": _why()},
    }


def _get() -> Document:
    return {
        "operationId": "getRecommendations",
        "tags": ["recommendations"],
        "summary": "Recommend, in the form that caches can keep",
        "description": "The same answer for the same parameters. It never takes a session.",
        "parameters": _parameters(),
        "responses": {
            "200": answered("Recommendations", "Recommended products.", headers=CACHED),
            "304": {"description": "The answer is the one whose ETag was sent.", "headers": CACHED},
            **refused(*_REFUSALS),
        },
    }


def _post() -> Document:
    return {
        "operationId": "postRecommendations",
        "tags": ["recommendations"],
        "summary": "Recommend what goes with the products at hand",
        "description": (
            "`items` holds `count` results whenever that many products pass the filters. An empty "
            "list of items falls back to what is trending."
        ),
        "requestBody": body(
            "RecommendationRequest",
            "The whole context; everything is optional.",
            media_types=JSON,
            example=_EXAMPLE,
        ),
        "responses": {
            "200": answered("Recommendations", "Recommended products."),
            **refused(*_BODY_REFUSALS),
        },
    }


def _why() -> Document:
    example = {"recommendation_id": "…", "item_id": "22697", "request": _EXAMPLE}
    return {
        "operationId": "explainRecommendation",
        "tags": ["recommendations"],
        "summary": "Tell how an answer came about, and why a product is not in it",
        "description": (
            "Replays the request on the release that the recommendation id names. Staff who are "
            "logged in need no key."
        ),
        "security": [{KEY: ["staff"]}],
        "requestBody": body(
            "WhyRequest", "The answer and its request.", media_types=JSON, example=example
        ),
        "responses": {
            "200": answered("Why", "Each step of the decision."),
            **refused("unauthenticated", "forbidden", "not-found", *_BODY_REFUSALS),
        },
    }


def _parameters() -> list[Document]:
    fields = {"type": "string", "enum": list(get_args(CardField))}
    count = {"type": "integer", "minimum": 1, "maximum": MAX_COUNT, "default": DEFAULT_COUNT}
    scenarios = ", ".join(SCENARIOS)
    return [
        _parameter("scenario", _SLUG, f"One of {scenarios}, or the slug of a placement."),
        _list("item", _ITEM, "A product at hand, oldest first: [type:]id[*quantity].", MAX_ITEMS),
        _parameter("count", count, "How many products."),
        _parameter("profile", _SLUG, "The preference profile to lean to."),
        _list("category", _NAME, "A category path, with all below it.", MAX_FILTER_VALUES),
        _list("brand", _NAME, "A brand.", MAX_FILTER_VALUES),
        _parameter("price_min", _MONEY, "Lowest price, of the sale price if there is one."),
        _parameter("price_max", _MONEY, "Highest price."),
        _parameter("in_stock", {"type": "boolean", "default": True}, "false lifts this filter."),
        _parameter("budget", _MONEY, "What is left to spend: what fits comes first."),
        _parameter(
            "free_shipping_gap",
            _MONEY,
            "What the basket lacks for free shipping: what fills it counts up to twice as much.",
        ),
        _list("exclude_ids", _ID, "Products that must not appear.", MAX_EXCLUDED, explode=False),
        _parameter(
            "diversity", {"type": "number", "minimum": 0, "maximum": 1, "default": 0}, "0 is none."
        ),
        _list("fields", fields, "Fields of the product cards.", None, explode=False),
        _parameter(
            "include_context",
            {"type": "boolean", "default": False},
            "Whether the products at hand may come back.",
        ),
    ]


def _parameter(name: str, schema: Document, description: str) -> Document:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _list(
    name: str, entry: Document, description: str, most: int | None, *, explode: bool = True
) -> Document:
    schema: dict[str, Any] = {"type": "array", "items": entry, "minItems": 1}
    if most is not None:
        schema["maxItems"] = most
    return {**_parameter(name, schema, description), "style": "form", "explode": explode}
