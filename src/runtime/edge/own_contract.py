"""The part of the OpenAPI document that tells what the router answers by itself."""

from typing import Any

from pydantic.json_schema import models_json_schema

from runtime.edge.batch import DEADLINE_SECONDS, MOST_PARTS, Batch, BatchAnswer
from runtime.problems import KINDS

_DESCRIPTION = """\
Recommendations from what is at hand, for shops whose visitors never log in: no cookie, no \
visitor id, no account. Times are RFC 3339 in UTC, money is a decimal string. Every error is a \
problem document (RFC 9457), whose `type` is a page that explains it."""


def document() -> dict[str, Any]:
    """Paths and schemas of /v1/batch, of the problem pages and of this document itself."""
    models = [(Batch, "validation"), (BatchAnswer, "serialization")]
    _, schemas = models_json_schema(
        models,  # type: ignore[arg-type]  # a list of the literals it wants
        ref_template="#/components/schemas/{model}",
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "multireco", "version": "1", "description": _DESCRIPTION},
        "tags": [
            {"name": "Batch", "description": "Several calls in one round trip."},
            {"name": "About", "description": "This document and the pages of the problems."},
        ],
        "paths": {
            "/v1/batch": {"post": _batch()},
            "/problems": {"get": _page("All problems", "listProblems")},
            "/problems/{code}": {"get": _problem_page()},
            "/openapi.json": {"get": _this_document()},
            "/docs": {"get": _page("This document as a page", "readDocs")},
        },
        "components": {"schemas": schemas["$defs"]},
    }


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _batch() -> dict[str, Any]:
    asked = {"$ref": "#/components/schemas/Batch"}
    told = {"$ref": "#/components/schemas/BatchAnswer"}
    return {
        "operationId": "batch",
        "tags": ["Batch"],
        "summary": "Make several calls in one round trip",
        "description": f"Up to {MOST_PARTS} public calls run side by side under one deadline of "
        f"{DEADLINE_SECONDS:g} seconds. Each has its own status; one that is late is answered "
        "504 and does not hold back the others. Every part counts against the caller's limits.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {"200": _json("The answer to each call.", told)},
    }


def _page(summary: str, operation_id: str) -> dict[str, Any]:
    page = {"description": "A page.", "content": {"text/html": {"schema": {"type": "string"}}}}
    return {
        "operationId": operation_id,
        "tags": ["About"],
        "summary": summary,
        "responses": {"200": page},
    }


def _problem_page() -> dict[str, Any]:
    code = {
        "name": "code",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "enum": list(KINDS)},
    }
    return {**_page("What a problem means", "readProblem"), "parameters": [code]}


def _this_document() -> dict[str, Any]:
    return {
        "operationId": "readDocument",
        "tags": ["About"],
        "summary": "This document",
        "responses": {"200": _json("OpenAPI 3.1.", {"type": "object"})},
    }
