"""Pieces that the descriptions of all operations are put together from."""

from collections.abc import Mapping
from typing import Any

from runtime.problems import KINDS, MEDIA_TYPE

Document = dict[str, Any]
REFERENCE = "#/components/schemas/"
KEY = "key"  # the name of the security scheme
_TEXT = {"type": "string"}


def reference(schema: str) -> Document:
    return {"$ref": REFERENCE + schema}


def header(description: str) -> Document:
    return {"description": description, "schema": _TEXT}


CACHED = {
    "ETag": header("Changes with the answer; send it as If-None-Match."),
    "Cache-Control": header("How long the answer may be kept."),
}


def answered(
    schema: str, description: str, *, headers: Mapping[str, Any] | None = None
) -> Document:
    return {
        "description": description,
        "headers": {"Cache-Control": CACHED["Cache-Control"], **(headers or {})},
        "content": {"application/json": {"schema": reference(schema)}},
    }


def body(schema: str, description: str, *, media_types: tuple[str, ...], example: Any) -> Document:
    content = {"schema": reference(schema), "example": example}
    return {
        "required": True,
        "description": description,
        "content": dict.fromkeys(media_types, content),
    }


def file(description: str, *, media_types: tuple[str, ...]) -> Document:
    content = {"schema": {"type": "string", "format": "binary"}}
    return {
        "required": True,
        "description": description,
        "content": dict.fromkeys(media_types, content),
    }


def refused(*codes: str) -> Document:
    """The problems that an operation answers with, by status."""
    told: Document = {}
    for kind in (KINDS[code] for code in codes):
        told[str(kind.status)] = {
            "description": f"{kind.title}: `{kind.code}`. {kind.explanation}",
            "content": {MEDIA_TYPE: {"schema": reference("Problem")}},
        }
    return told


PROBLEM: Document = {
    "title": "Problem",
    "description": "Problem details (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "A page that explains the problem."},
        "title": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": _TEXT,
        "instance": {"type": "string", "description": "The path that was asked."},
        "code": {"type": "string", "enum": sorted(KINDS)},
        "request_id": _TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "A JSON pointer into the body, or ?name for a parameter.",
                    },
                    "detail": _TEXT,
                },
            },
        },
    },
}
