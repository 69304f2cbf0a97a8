"""/v1/events, /v1/sessions and /v1/imports: what shops send."""

from reco_app.curation import feeds as product_feeds
from reco_app.events import feeds as event_feeds
from reco_app.serving.openapi.parts import KEY, Document, answered, body, file, refused

_EVENTS = {
    "events": [
        {
            "event_id": "01JD0000000000000000000000",
            "session_id": "a-visit",
            "event_type": "add-to-cart",
            "item_id": "22423",
            "quantity": 2,
            "price": "10.95",
        }
    ],
    "consent": True,
}
_COMMON = ("method-not-allowed", "unauthenticated", "forbidden", "rate-limited")
_BODY = (
    "malformed-json",
    "body-too-slow",
    "body-too-large",
    "unsupported-media-type",
    "invalid-fields",
)
_UPLOAD = ("body-too-large", "unsupported-media-type", "invalid-fields")
_SESSION_ID = {
    "name": "session_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
}


def paths() -> Document:
    return {
        "/v1/events": {"post": _events()},
        "/v1/sessions/{session_id}": {"delete": _session()},
        "/v1/imports/products": {"post": _products()},
        "/v1/imports/events": {"post": _event_log()},
    }


def _events() -> Document:
    return {
        "operationId": "postEvents",
        "tags": ["events"],
        "summary": "Tell what shoppers did",
        "description": (
            "202 means durable. Without `consent`, or under `Sec-GPC: 1`, sessions are dropped and "
            "the events count for popularity only. What is more than one network or key can have "
            "meant is accepted too, and counts once staff release it."
        ),
        "security": [{}, {KEY: []}],
        "requestBody": body(
            "EventBatch",
            "1 to 100 events; `text/plain` is for sendBeacon.",
            media_types=("application/json", "text/plain"),
            example=_EVENTS,
        ),
        "responses": {
            "202": answered("EventReceipt", "What became of each event."),
            **refused(*_BODY, *_COMMON, "unavailable"),
        },
    }


def _session() -> Document:
    return {
        "operationId": "forgetSession",
        "tags": ["events"],
        "summary": "Forget a session",
        "security": [{}, {KEY: []}],
        "parameters": [_SESSION_ID],
        "responses": {
            "204": {
                "description": "Gone from the record, if there was anything; the rest follows."
            },
            **refused("not-found", "invalid-fields", *_COMMON, "unavailable"),
        },
    }


def _products() -> Document:
    switches = {
        "full": "Retire products that the feed does not have.",
        "force": "Retire them even if they are many.",
        "dry_run": "Check only.",
    }
    return {
        "operationId": "importProducts",
        "tags": ["imports"],
        "summary": "Bring in a product feed",
        "security": [{KEY: []}],
        "parameters": [
            {"name": name, "in": "query", "description": told, "schema": {"type": "boolean"}}
            for name, told in switches.items()
        ],
        "requestBody": file(
            "JSON Lines, CSV or a Google Merchant feed.",
            media_types=tuple(product_feeds.MEDIA_TYPES),
        ),
        "responses": {
            "200": answered("FeedSummary", "What became of the feed."),
            **refused(*_UPLOAD, *_COMMON),
        },
    }


def _event_log() -> Document:
    return {
        "operationId": "importEvents",
        "tags": ["imports"],
        "summary": "Bring in an event log",
        "security": [{KEY: []}],
        "requestBody": file(
            "Columns session_id, item_id, timestamp and, if known, event_type, quantity, price.",
            media_types=tuple(event_feeds.MEDIA_TYPES),
        ),
        "responses": {
            "200": answered("EventImportSummary", "What became of the log."),
            **refused(*_UPLOAD, *_COMMON, "unavailable"),
        },
    }
