"""One public face for the three components, mounted here or forwarded to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from runtime import keys
from runtime.asgi import ASGIApp, Receive, Scope, Send, header
from runtime.edge import batch
from runtime.edge.components import Components
from runtime.edge.settings import Settings
from runtime.edge.site import COMPONENT, owns, site
from runtime.limits import limited
from runtime.shell import shell

# What is not told here a component bounds by itself; the router hands it through as it comes.
BODY_LIMITS = {
    "/v1/batch": batch.BODY_LIMIT_BYTES,
    "/v1/imports/": 0,
    "/admin/": 0,
    "/internal/": 0,
}


def router(settings: Settings, *, entries: Mapping[str, str]) -> ASGIApp:
    """The application for these settings; components without a URL are imported and mounted.

    `entries`: name → module:attribute of each component, in the order in which they start.
    """
    urls = {
        "catalog": settings.catalog_url,
        "profile": settings.profile_url,
        "reco": settings.reco_url,
    }
    components = Components(entries, urls)
    components.load()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with components.started():
            yield

    async def everything(scope: Scope, receive: Receive, send: Send) -> None:
        await routed(scope, receive, send)

    own = site(urls=urls, everything=everything, lifespan=lifespan)

    async def dispatched(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not owns(scope["path"]):
            if scope["path"].startswith("/internal/"):
                keys.require(header(scope, b"authorization").decode("latin-1"), "internal")
            await components(scope, receive, send)
        else:
            await own(scope, receive, send)

    routed = shell(
        limited(dispatched, requests_per_minute=settings.requests_per_minute),
        component=COMPONENT,
        readiness=components.readiness,
        body_limits=BODY_LIMITS,
    )
    return routed
