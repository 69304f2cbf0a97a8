"""Wires the catalogue component up: `catalog_app.main:app` is its ASGI application."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from catalog_app import api, api_internal, cursors, documentation, live, settings, store
from catalog_app.cards import Cards
from runtime import fastapi as problem_details
from runtime import logs, tracing
from runtime.asgi import ASGIApp
from runtime.problems import FieldError, Problem
from runtime.shell import shell

COMPONENT = "catalog"
RETRY_AFTER_SECONDS = 2
# 500 products with long descriptions; everybody else keeps to what runtime allows.
BODY_LIMITS = {"/internal/catalog/": 16 * 1024 * 1024}


def make_app(mongodb_url: str) -> ASGIApp:
    """The component on this store, ready to serve once its lifespan has begun."""
    application = make_application(mongodb_url)

    async def ready() -> Mapping[str, str]:
        return await readiness(application)

    return shell(application, component=COMPONENT, readiness=ready, body_limits=BODY_LIMITS)


def make_application(mongodb_url: str) -> FastAPI:
    """The routes and their lifespan, without the shell of a process."""

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        # The client must be made in the loop that uses it; MongoDB itself may be away.
        async with store.opened(mongodb_url) as products, live.following(products) as index:
            application.state.store = products
            application.state.live = index
            application.state.cards = Cards(products, index)
            yield

    application = FastAPI(
        title="multireco catalogue",
        version="1",
        openapi_url=f"/openapi/{COMPONENT}.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry={"tracing": False},  # its span tells paths and addresses; the shell makes ours
    )
    application.include_router(api.router)
    application.include_router(api_internal.router)
    application.add_exception_handler(store.Unavailable, _unavailable)
    application.add_exception_handler(live.NotRead, _unavailable)
    application.add_exception_handler(store.GenerationOver, _generation_over)
    application.add_exception_handler(cursors.Foreign, _foreign_cursor)
    problem_details.install(application, component=COMPONENT)
    documentation.publish(application)
    return application


async def readiness(application: FastAPI) -> Mapping[str, str]:
    """MongoDB away is degraded, not unready: another pod would do no better."""
    ready = application.state.live.ready
    try:
        await application.state.store.clock()
    except store.Unavailable:
        return {"mongodb": "away", "search": "ok" if ready else "waiting for mongodb"}
    return {"mongodb": "ok", "search": "ok" if ready else "reading the catalogue"}


async def _unavailable(request: Request, raised: Exception) -> Response:
    detail = str(raised) if isinstance(raised, live.NotRead) else "The catalogue's store is away."
    problem = Problem("unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return problem_details.answer(request, problem)


async def _generation_over(request: Request, raised: Exception) -> Response:
    problem = Problem("not-found", "This rebuild is not under way; begin one anew.")
    return problem_details.answer(request, problem)


async def _foreign_cursor(request: Request, raised: Exception) -> Response:
    error = FieldError("?cursor", f"{raised}; send `next` of this very list, or none")
    problem = Problem("invalid-fields", "The cursor does not belong here.", errors=[error])
    return problem_details.answer(request, problem)


logs.configure(COMPONENT, settings.current().log_level)
tracing.configure(COMPONENT)
app = make_app(settings.current().mongodb_url.get_secret_value())
