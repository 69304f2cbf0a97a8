"""/static/…: the files of the installed apps, sent without Django and without its threads."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from runtime import context, problems
from runtime.asgi import ASGIApp, Receive, Scope, Send

HEADERS = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}


class _Files(StaticFiles):
    """Every answer names how long it may be kept, the unchanged ones too."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


def with_static_files(app: ASGIApp) -> ASGIApp:
    """`app` beside the folder `static` of each installed app; of two files of one name, the
    one of the app that is installed first. Raises Problem for what is not there."""
    files = _Files(
        packages=[
            (installed.name, "static")
            for installed in apps.get_app_configs()
            if Path(installed.path, "static").is_dir()
        ]
    )

    async def sorted_out(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(settings.STATIC_URL):
            return await app(scope, receive, send)
        if (active := context.active()) is not None:
            active.route = f"{settings.STATIC_URL}<path>"
        mounted_at = scope.get("root_path", "") + settings.STATIC_URL.rstrip("/")
        try:
            return await files({**scope, "root_path": mounted_at}, receive, send)
        except HTTPException as refused:
            raise problems.for_status(refused.status_code, headers=refused.headers) from None

    return sorted_out
