"""/v1/events, /v1/sessions and /v1/imports: what shops send."""

from reco_app.curation import feeds as product_feeds
from reco_app.events import feeds as event_feeds
from reco_app.serving.openapi.parts import KEY, Document, answered, body, file, refused

_OF_AN_ANSWER: Document = {
    "recommendation_id": (
        "lrkyMDI2LTExLTIyVDAyOjEwOjA0Wi0zZjlhDKZiYXNrZXTOawJKTMQIMTIzNDU2NzgA."
        "8dS8igSTbsE2Ew2NaSkYPA"
    ),
    "position": 3,
}
_TOLD: tuple[Document, ...] = (
    {"event_type": "view", "item_id": "22423"},
    {"event_type": "impression", "item_id": "22697", **_OF_AN_ANSWER},
    {"event_type": "click", "item_id": "22697", **_OF_AN_ANSWER},
    {"event_type": "add-to-cart", "item_id": "22697", "quantity": 2, **_OF_AN_ANSWER},
    {"event_type": "remove-from-cart", "item_id": "22423"},
    {"event_type": "purchase", "item_id": "22697", "quantity": 2, "price": "2.95"},
)
_EVENTS = {
    "events": [
        {"event_id": f"01JD000000000000000000000{number}", "session_id": "a-visit", **told}
        for number, told in enumerate(_TOLD)
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
            "202 means durable, but for what is named in `rejected`. Without `consent`, or under "
            "`Sec-GPC: 1`, sessions and recommendation ids are dropped and the events count for "
            "popularity only. What is more than one network or key can have meant is accepted too, "
            "and counts once staff release it. A page of another host needs to be of an origin "
            "that the shop has listed, or 403 is the answer; a backend names none, or has a key."
        ),
        "security": [{}, {KEY: ["events"]}],
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
        "security": [{}, {KEY: ["events"]}],
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
        "security": [{KEY: ["import"]}],
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
        "security": [{KEY: ["import"]}],
        "requestBody": file(
            "Columns session_id, item_id, timestamp and, if known, event_type, quantity, price.",
            media_types=tuple(event_feeds.MEDIA_TYPES),
        ),
        "responses": {
            "200": answered("EventImportSummary", "What became of the log."),
            **refused(*_UPLOAD, *_COMMON, "unavailable"),
        },
    }
