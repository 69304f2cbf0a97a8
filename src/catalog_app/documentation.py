"""The responses of the OpenAPI document: problems by kind, and the headers that come along."""

from typing import Any

from fastapi import FastAPI

from catalog_app.contracts import Problem
from runtime.problems import KINDS, MEDIA_TYPE

_STRING = {"schema": {"type": "string"}}
_SECONDS = {"schema": {"type": "integer", "minimum": 1}}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", **_SECONDS}}

CACHED = {
    "ETag": {"description": "Changes with the answer; send it as If-None-Match.", **_STRING},
    "Cache-Control": {"description": "How long the answer may be kept.", **_STRING},
}
LINK = {"Link": {"description": 'The next page, as rel="next"; absent on the last.', **_STRING}}

Responses = dict[int | str, dict[str, Any]]


def answered(description: str, *, headers: dict[str, Any] | None = None) -> Responses:
    """A good answer to a read, and the one to a reader who has it already."""
    told = {**CACHED, **(headers or {})}
    return {
        200: {"description": description, "headers": told},
        304: {"description": "The answer is the one whose ETag was sent.", "headers": told},
    }


def refused(*codes: str) -> Responses:
    """The responses for these kinds of problem, by status."""
    told: Responses = {}
    for kind in (KINDS[code] for code in codes):
        known = told.get(kind.status)
        words = f"{kind.title}: `{kind.code}`. {kind.explanation}"
        told[kind.status] = {
            "description": f"{known['description']} {words}" if known else words,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            "headers": _RETRY_AFTER if kind.status in (429, 503) else {},
        }
    return told


def publish(application: FastAPI) -> None:
    """Make the document of `application` hold the schema that `refused` responses point to."""
    generated = application.openapi()
    schema = Problem.model_json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    nested = schema.pop("$defs")
    generated["components"]["schemas"] |= {"Problem": schema, **nested}
