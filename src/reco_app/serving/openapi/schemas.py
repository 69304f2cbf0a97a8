"""The schemas of bodies and answers, made from the contracts themselves."""

import re
from typing import Any

import msgspec

from reco_app.events import contracts as events
from reco_app.serving import contracts
from reco_app.serving.openapi.parts import PROBLEM, REFERENCE, Document

# Contract → its name in the document, where it stands beside those of other components.
NAMES = {
    contracts.Request: "RecommendationRequest",
    contracts.RequestItem: "RecommendationRequestItem",
    contracts.Filter: "RecommendationFilter",
    contracts.Budget: "RecommendationBudget",
    contracts.Answer: "Recommendations",
    contracts.Result: "RecommendedItem",
    contracts.Reason: "RecommendationReason",
    contracts.Warning: "RecommendationWarning",
    contracts.ModelVersion: "ModelVersion",
    contracts.WhyRequest: "WhyRequest",
    contracts.Why: "Why",
    contracts.Step: "WhyStep",
    contracts.RuleTold: "WhyRule",
    contracts.Asked: "WhyItem",
    contracts.Cause: "WhyCause",
    events.Batch: "EventBatch",
    events.Event: "Event",
    events.Receipt: "EventReceipt",
    events.Rejection: "EventRejection",
    events.ImportSummary: "EventImportSummary",
    events.BadRow: "EventImportBadRow",
}
# Python's way of saying “and really the end”; in JSON Schema `$` says so already.
_END = "(?!\\n)"
_CARD: Document = {
    "description": "The fields asked for; null where no card could be had.",
    "anyOf": [
        {
            "type": "object",
            "properties": {
                "title": {"type": "string"},
                "description": {"type": "string"},
                "brand": {"type": "string"},
                "categories": {"type": "array", "items": {"type": "string"}},
                "price": {"type": "string"},
                "sale_price": {"type": ["string", "null"]},
                "currency": {"type": "string"},
                "availability": {"enum": ["in_stock", "out_of_stock", "preorder"]},
                "image_url": {"type": "string"},
                "url": {"type": "string"},
                "attributes": {"type": "object"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "item_group_id": {"type": "string"},
                "published_at": {"type": "string", "format": "date-time"},
            },
            "additionalProperties": False,
        },
        {"type": "null"},
    ],
}
_FEED_SUMMARY: Document = {
    "title": "FeedSummary",
    "description": "What became of a feed; `errors` holds the first hundred bad rows.",
    "type": "object",
    "required": ["rows", "created", "changed", "unchanged", "rejected", "retired", "dry_run"],
    "properties": {
        **{
            name: {"type": "integer", "minimum": 0}
            for name in ("rows", "created", "changed", "unchanged", "rejected", "retired")
        },
        "dry_run": {"type": "boolean"},
        "stopped": {"type": "string", "description": "Why the rest of the feed was not read."},
        "kept": {"type": "string", "description": "Why nothing was retired."},
        "errors": {"type": "array", "maxItems": 100, "items": {"type": "object"}},
    },
}


def schemas() -> Document:
    """All schemas by name."""
    _, generated = msgspec.json.schema_components(
        list(NAMES), ref_template="#/components/schemas/{name}"
    )
    renamed = {shape.__name__: name for shape, name in NAMES.items()}
    result = {
        renamed[name]: _rewritten({**schema, "title": renamed[name]}, renamed)
        for name, schema in generated.items()
    }
    result["RecommendedItem"]["properties"]["product"] = _CARD
    result["RecommendationBudget"]["minProperties"] = 1
    return {**result, "Problem": PROBLEM, "FeedSummary": _FEED_SUMMARY}


def _rewritten(node: Any, renamed: dict[str, str]) -> Any:
    if isinstance(node, list):
        return [_rewritten(entry, renamed) for entry in node]
    if not isinstance(node, dict):
        return node
    rewritten = {key: _rewritten(value, renamed) for key, value in node.items()}
    if isinstance(node.get("$ref"), str):
        rewritten["$ref"] = REFERENCE + renamed[node["$ref"].rpartition("/")[2]]
    if isinstance(node.get("pattern"), str):
        rewritten["pattern"] = re.sub(re.escape(_END) + "$", "", node["pattern"])
    return rewritten
