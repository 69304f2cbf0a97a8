"""What the router answers by itself: the contract, pages about it, and /v1/batch."""

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any, cast

import httpx2
import orjson
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates
from starlette.types import Lifespan

from runtime import fastapi, transports
from runtime.asgi import ASGIApp, header
from runtime.edge import batch, contract, own_contract
from runtime.problems import KINDS, Problem

COMPONENT = "router"
_PATHS = ("/docs", "/problems", "/openapi.json", "/v1/batch")
_FOLDER = Path(__file__).parent / "pages"
_FILES = {"docs.js": "text/javascript", "pages.css": "text/css"}
_PAGE_HEADERS = {
    "Cache-Control": "public, max-age=300",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_CONTRACT_SECONDS = 60.0
_DOCUMENT_SECONDS = 2.0
_templates = Jinja2Templates(directory=_FOLDER)


def owns(path: str) -> bool:
    """Whether `path` is the router's own rather than a component's."""
    return path == "/" or path.startswith(_PATHS)


def site(*, urls: dict[str, str], everything: ASGIApp, lifespan: Lifespan[Starlette]) -> Starlette:
    """The router's own paths.

    `everything` is the router as a whole, to which batches put their parts; `urls` names every
    component, with its base URL or nothing, as in Components.
    """
    app = Starlette(
        routes=[
            Route("/", _home),
            Route("/docs", _docs),
            Route("/docs/{name}", _file),
            Route("/problems", _problems),
            Route("/problems/{code}", _problem),
            Route("/openapi.json", _openapi),
            Route("/v1/batch", _batch, methods=["POST"]),
        ],
        lifespan=lifespan,
    )
    app.state.urls = urls
    app.state.everything = everything
    app.state.contract = (0.0, b"")
    app.add_exception_handler(ValidationError, _invalid)
    fastapi.install(app, component=COMPONENT)
    return app


async def _home(_: Request) -> Response:
    return RedirectResponse("/shop/", status_code=302)


async def _docs(request: Request) -> Response:
    return _page(request, "docs.html")


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _FILES:
        raise HTTPException(404)
    return FileResponse(_FOLDER / name, media_type=_FILES[name], headers=_PAGE_HEADERS)


async def _problems(request: Request) -> Response:
    return _page(request, "problems.html", kinds=list(KINDS.values()))


async def _problem(request: Request) -> Response:
    kind = KINDS.get(request.path_params["code"])
    if kind is None:
        raise HTTPException(404)
    return _page(request, "problem.html", kind=kind)


def _page(request: Request, name: str, **told: Any) -> Response:
    return _templates.TemplateResponse(request, name, told, headers=_PAGE_HEADERS)


async def _batch(request: Request) -> Response:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Problem("unsupported-media-type", "Send the batch as application/json.")
    asked = batch.Batch.model_validate_json(await request.body())
    told = await batch.answer(request.app.state.everything, request.scope, asked.requests)
    return JSONResponse(told.model_dump(), headers={"Cache-Control": "no-store"})


async def _invalid(request: Request, raised: Exception) -> Response:
    found: list[Any] = cast("ValidationError", raised).errors(include_url=False)
    in_body = [{**error, "loc": ("body", *error["loc"])} for error in found]
    return fastapi.answer(request, fastapi.of_validation(in_body))


async def _openapi(request: Request) -> Response:
    state = request.app.state
    fresh_until, encoded = state.contract
    if monotonic() > fresh_until:
        names = list(reversed(state.urls))  # what the product is for comes first: recommendations
        host = header(request.scope, b"host")
        asked = (_document(name, state.urls[name], host or name.encode()) for name in names)
        documents = await asyncio.gather(*asked)
        present = {
            name: document
            for name, document in zip(names, documents, strict=True)
            if document is not None
        }
        encoded = orjson.dumps(contract.merged(own_contract.document(), present))
        if len(present) == len(names):
            state.contract = (monotonic() + _CONTRACT_SECONDS, encoded)
    return Response(encoded, media_type="application/json")


async def _document(name: str, url: str, host: bytes) -> contract.Document | None:
    """A component's own document; None while it is away, so that the others are still told.

    It may answer to the shop's own `host` alone (MULTIRECO_ALLOWED_HOSTS).
    """
    try:
        reply = await transports.client(name, url).get(
            f"/openapi/{name}.json", headers=[(b"host", host)], timeout=_DOCUMENT_SECONDS
        )
    except httpx2.TransportError:
        return None
    return cast("contract.Document", reply.json()) if reply.status_code == 200 else None
