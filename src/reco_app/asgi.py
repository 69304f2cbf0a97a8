"""reco as an ASGI application: Django, and around it what every process of the product has."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Iterable, Mapping
from typing import cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reco_app.settings")

from django.core.asgi import get_asgi_application  # noqa: E402  # reads the settings named above

_django = cast("ASGIApp", get_asgi_application())

from reco_app.events import (  # noqa: E402  # models need Django's apps to be ready
    intake,
    recommendation_log,
    writers,
)
from reco_app.serving import api, live, running  # noqa: E402
from reco_app.settings import current  # noqa: E402
from reco_app.static_files import with_static_files  # noqa: E402
from reco_app.threadless import Threadless, without_threads  # noqa: E402
from runtime import keys, logs, tracing  # noqa: E402
from runtime.asgi import ASGIApp, Receive, Scope, Send, header  # noqa: E402
from runtime.problems import Problem  # noqa: E402
from runtime.shell import shell  # noqa: E402

# Feeds and event logs are streamed, and bounded by whoever reads them; the admin takes files.
FEEDS = "/v1/imports/"
BODY_LIMITS = {FEEDS: 0, "/admin/": 64 << 20}
# What shoppers' pages ask all the time. Staff alone ask for why, with their session.
BUSY = ("/v1/recommendations", "/v1/events")
# How long a request may wait for a thread that computes, such as a follower: Python's own 5 ms are
# forty answers.
SWITCH_SECONDS = 5e-4


def _with_lifespan(app: ASGIApp) -> ASGIApp:
    """Django answers requests only: follow the release and the catalogue from start to stop."""

    def spanned(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return _live(receive, send)
        _require_readable(scope)
        return app(scope, receive, send)

    return spanned


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    sys.setswitchinterval(SWITCH_SECONDS)
    started = await asyncio.to_thread(running.start)
    intake.start(products=_known)
    recommendation_log.start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await asyncio.to_thread(intake.stop)
    await asyncio.to_thread(recommendation_log.stop)
    await asyncio.to_thread(running.stop, started)
    await asyncio.to_thread(writers.close)
    await send({"type": "lifespan.shutdown.complete"})


def _known(item_ids: Iterable[str]) -> set[str] | None:
    """Those that catalogue or release have; None before this process has read either."""
    shelf = live.current().shelf
    return {item for item in item_ids if shelf.position(item) >= 0} if shelf.size else None


def _require_readable(scope: Scope) -> None:
    """Django answers an address that is not UTF-8 without its middleware, so in no known form."""
    try:
        scope.get("query_string", b"").decode()
    except UnicodeDecodeError:
        raise Problem("bad-request", "The query string is not percent-encoded UTF-8.") from None
    if scope["method"] == "POST" and scope["path"].startswith(FEEDS):
        # Django keeps the whole of a body on disk before it asks who sends it.
        keys.require(header(scope, b"authorization").decode("latin-1"), "import")


async def readiness() -> Mapping[str, str]:
    """Unready only while there is nothing to recommend and nothing is known of the catalogue."""
    return running.conditions()


logs.configure("reco", current().log_level)
tracing.configure("reco")
_busy = Threadless(BUSY, at_once={"/v1/recommendations": api.at_once})
application = shell(
    _with_lifespan(with_static_files(without_threads(_django, _busy))),
    component="reco",
    readiness=readiness,
    body_limits=BODY_LIMITS,
    at_once=_busy.at_once,
)
