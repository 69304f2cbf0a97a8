"""Three small components in the frameworks of the real ones, to be mounted by the router."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from flask import Flask
from flask import request as flask_request
from starlette.responses import PlainTextResponse, StreamingResponse

from runtime import fastapi, flask
from runtime.problems import Problem
from runtime.shell import shell

ENTRIES = {name: f"{__name__}:{name}" for name in ("catalog", "profile", "reco")}
life: list[str] = []


async def _ready() -> dict[str, str]:
    return {"store": "ok"}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
    life.append("catalog starts")
    yield {"opened": "in the lifespan"}
    life.append("catalog stops")


_catalog = FastAPI(lifespan=_lifespan, openapi_url="/openapi/catalog.json")
fastapi.install(_catalog, component="catalog")


@_catalog.get("/v1/products/{product_id}")
async def product(request: Request, product_id: str, limit: int = 1) -> dict[str, object]:
    """One product, and what the router passed on."""
    return {"id": product_id, "state": request.state.opened, "headers": dict(request.headers)}


@_catalog.post("/v1/products:batch")
async def products(asked: dict[str, list[int]]) -> dict[str, list[int]]:
    return asked


@_catalog.get("/internal/catalog/v1/changes")
async def changes() -> dict[str, int]:
    return {"next": 1}


catalog = shell(_catalog, component="catalog", readiness=_ready)

profile = Flask(__name__)
flask.install(profile, component="profile", readiness=lambda: {"store": "ok"})
BODY_LIMITS = {"/internal/profile/": 1024 * 1024}


@profile.get("/openapi/profile.json")
def profile_document() -> dict[str, object]:
    paths = {f"/v1/of/{flask_request.host}": {}}
    return {"openapi": "3.1.0", "info": {"title": "profile", "version": "1"}, "paths": paths}


@profile.post("/v1/profiles:match")
def match() -> dict[str, object]:
    return {"size": len(flask_request.get_data())}


_reco = FastAPI(openapi_url="/openapi/reco.json")
fastapi.install(_reco, component="reco")


@_reco.get("/v1/recommendations")
async def recommendations(wait: float = 0.0) -> dict[str, list[int]]:
    await asyncio.sleep(wait)
    return {"items": []}


@_reco.delete("/v1/sessions/{session_id}", status_code=204)
async def forget(session_id: str) -> None:
    return None


@_reco.post("/v1/events")
async def events(asked: dict[str, object]) -> dict[str, object]:
    raise Problem("unavailable", "Nothing can be stored.", headers={"Retry-After": "7"})


@_reco.get("/shop/stream")
async def stream() -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 1000

    return StreamingResponse(chunks(), media_type="text/plain")


@_reco.get("/v1/text")
async def text() -> PlainTextResponse:
    return PlainTextResponse("not JSON")


@_reco.get("/shop/broken")
async def broken() -> None:
    raise RuntimeError("secret of the house")


reco = shell(_reco, component="reco", readiness=_ready)
