"""/static/…: the files of the installed apps, sent without Django and without its threads.

Pages name them under a folder that changes whenever any of them does, so that browsers keep them
for good and yet see a deploy at once: /static/v-0f3a5c7e9b1d/storefront/js/dom.js. What one file
says of another is relative, so it leads into the same folder and nothing need be rewritten.
"""

import hashlib
import re
from collections.abc import Awaitable, MutableMapping
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from runtime import context, problems
from runtime.asgi import ASGIApp, Receive, Scope, Send

FOR_GOOD = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"  # without a version, or with that of another process while one is deployed
_VERSION = re.compile(r"v-[0-9a-f]{12}/")


class Versioned(StaticFilesStorage):
    """What `{% static %}` asks for the address of a file."""

    def url(self, name: str | None, force: bool = False) -> str:
        return super().url(f"{version()}/{name}")


@cache
def version() -> str:
    """The folder that stands for the files as they are: their names and all that is in them."""
    digest = hashlib.blake2b(digest_size=6)
    for folder in _packages().values():
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(folder)}\0".encode())
                digest.update(hashlib.blake2b(path.read_bytes()).digest())
    return f"v-{digest.hexdigest()}"


class _Files(StaticFiles):
    """Every answer names how long it may be kept, the unchanged ones too."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await super().get_response(path, scope)
        current = scope["root_path"].endswith(version())
        response.headers["Cache-Control"] = FOR_GOOD if current else ASK_FIRST
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def with_static_files(app: ASGIApp) -> ASGIApp:
    """`app` beside the folder `static` of each installed app; of two files of one name, the
    one of the app that is installed first. Raises Problem for what is not there."""
    files = _Files(packages=[(name, "static") for name in _packages()])

    static = settings.STATIC_URL
    version()  # reads every file: at the start, not when the first page is waiting

    async def sent(scope: Scope, receive: Receive, send: Send) -> None:
        if (active := context.active()) is not None:
            active.route = f"{static}<path>"
        named = _VERSION.match(scope["path"], len(static))
        folder = static + named[0] if named else static
        mounted_at = scope.get("root_path", "") + folder.rstrip("/")
        try:
            return await files({**scope, "root_path": mounted_at}, receive, send)
        except HTTPException as refused:
            raise problems.for_status(refused.status_code, headers=refused.headers) from None

    def sorted_out(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        own = scope["type"] == "http" and scope["path"].startswith(static)
        return (sent if own else app)(scope, receive, send)

    return sorted_out


def _packages() -> dict[str, Path]:
    """The folders of files by the name of the installed app that they belong to."""
    folders = {app.name: Path(app.path, "static") for app in apps.get_app_configs()}
    return {name: folder for name, folder in folders.items() if folder.is_dir()}
