"""The parts of the OpenAPI document that the framework does not make exact by itself."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from profile_app.contracts import Matches, MatchGiven, Preferences, Problem, Profile, ProfilePage
from runtime.problems import KINDS, MEDIA_TYPE

_REFERENCE = "#/components/schemas/{model}"
_STRING = {"schema": {"type": "string"}}
_SECONDS = {"schema": {"type": "integer", "minimum": 1}}
_PUBLISHED: tuple[tuple[type[BaseModel], Literal["validation", "serialization"]], ...] = (
    (MatchGiven, "validation"),
    (Matches, "serialization"),
    (Preferences, "serialization"),
    (Problem, "serialization"),
    (Profile, "serialization"),
    (ProfilePage, "serialization"),
)

ETAG = {"ETag": {"description": "Changes with the answer; send it as If-None-Match.", **_STRING}}
CACHED = {
    **ETAG,
    "Cache-Control": {"description": "How long the answer may be kept.", **_STRING},
}
LINK = {"Link": {"description": 'The next page, as rel="next"; absent on the last.', **_STRING}}
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "required": True, **_SECONDS}}


def answered(
    model: type[BaseModel], description: str, *, headers: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A response whose body is `model`."""
    schema = {"$ref": _REFERENCE.format(model=model.__name__)}
    return {
        "description": description,
        "content": {"application/json": {"schema": schema}},
        "headers": dict(headers or {}),
    }


def unchanged() -> dict[str, Any]:
    """The response to a reader who has the answer already."""
    return {"description": "The answer is the one whose ETag was sent.", "headers": CACHED}


def refused(*codes: str) -> dict[str | int, Any]:
    """The responses for these kinds of problem, by status."""
    told: dict[str | int, Any] = {}
    for kind in (KINDS[code] for code in codes):
        told[kind.status] = {
            "description": f"{kind.title}: `{kind.code}`. {kind.explanation}",
            "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model="Problem")}}},
            "headers": RETRY_AFTER if kind.status in (429, 503) else {},
        }
    return told


def exact(generated: Mapping[str, Any]) -> dict[str, Any]:
    """The framework's document with the schemas of `contracts` whole: it drops what it does not
    know of JSON Schema, such as the patterns of a map's keys."""
    _, schemas = models_json_schema(_PUBLISHED, ref_template=_REFERENCE)
    return {**generated, "components": {"schemas": schemas["$defs"]}}
