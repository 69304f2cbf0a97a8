"""POST /v1/batch: several calls in one round trip, side by side under one deadline."""

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import httpx2
import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from runtime import overload, problems, tracing
from runtime.asgi import ASGIApp, Scope
from runtime.problems import Problem

DEADLINE_SECONDS = 2.0
MOST_PARTS = 10
# Ten parts of the largest body that each of them may have.
BODY_LIMIT_BYTES = MOST_PARTS * 64 * 1024
_NOT_HERE = ("/v1/batch", "/v1/imports")
_PASSED_ON = frozenset({b"authorization", b"host", b"origin", b"sec-gpc", b"user-agent"})


def _public(path: str) -> str:
    # As whoever answers will read it: decoded, and with dots that lead elsewhere.
    bare = unquote(path.partition("?")[0])
    if bare.startswith(_NOT_HERE) or not {".", ".."}.isdisjoint(bare.split("/")):
        raise ValueError("a batch takes public calls under /v1/, no imports and no other batch")
    return path


class Part(BaseModel):
    """One call of a batch."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(min_length=1, max_length=64, description="Names the part in the answer.")
    method: Literal["GET", "POST", "DELETE"] = "GET"
    path: Annotated[str, AfterValidator(_public)] = Field(
        max_length=2048,
        # Printable ASCII, as on any request line; the validator below it in words of a pattern.
        pattern=r"^/v1/[!-~]*$",
        json_schema_extra={"pattern": r"^/v1/(?!batch|imports)[!-~]*$"},
        description="Path and query of a public call, such as /v1/recommendations.",
    )
    body: JsonValue = Field(default=None, description="The JSON body of a POST.")


class Batch(BaseModel):
    """What is asked: up to ten calls."""

    model_config = ConfigDict(extra="forbid", strict=True)

    requests: list[Part] = Field(min_length=1, max_length=MOST_PARTS)


class PartAnswer(BaseModel):
    """What one part was answered."""

    id: str
    status: int = Field(ge=200, le=599)
    body: JsonValue = Field(description="The answer's JSON, or null where it has no body.")


class BatchAnswer(BaseModel):
    """The answers, in the order in which they were asked for."""

    responses: list[PartAnswer] = Field(max_length=MOST_PARTS)


async def answer(app: ASGIApp, scope: Scope, parts: Sequence[Part]) -> BatchAnswer:
    """Put each part to `app` as its caller would; those that are late get deadline-exceeded."""
    tasks = [asyncio.create_task(_ask(app, scope, part)) for part in parts]
    _, late = await asyncio.wait(tasks, timeout=DEADLINE_SECONDS)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    pairs = zip(tasks, parts, strict=True)
    told = [_late(part) if task in late else task.result() for task, part in pairs]
    return BatchAnswer(responses=told)


async def _ask(app: ASGIApp, scope: Scope, part: Part) -> PartAnswer:
    headers = [(name, value) for name, value in scope["headers"] if name in _PASSED_ON]
    told: dict[str, str] = {}
    tracing.propagate_into(told)
    headers += [(name.lower().encode(), value.encode()) for name, value in told.items()]
    headers.append((overload.PRIORITY, overload.BACKGROUND))
    content = None
    if part.method == "POST":
        headers.append((b"content-type", b"application/json"))
        content = json.dumps(part.body).encode()
    client = tuple(scope.get("client") or ("127.0.0.1", 0))
    transport = httpx2.ASGITransport(app=app, client=client)
    # The host that the caller names is a header, never a part of the address.
    request = httpx2.Request(
        part.method, f"http://router{part.path}", headers=headers, content=content
    )
    reply = await transport.handle_async_request(request)
    return PartAnswer(id=part.id, status=reply.status_code, body=await _json(reply))


async def _json(reply: httpx2.Response) -> Any:
    body = await reply.aread()
    told = body and "json" in reply.headers.get("content-type", "")
    return orjson.loads(body) if told else None


def _late(part: Part) -> PartAnswer:
    detail = f"This part had no answer within the batch's {DEADLINE_SECONDS:g} seconds."
    problem = Problem("deadline-exceeded", detail)
    told = problems.document(problem, instance=part.path.partition("?")[0])
    return PartAnswer(id=part.id, status=problem.status, body=told)
