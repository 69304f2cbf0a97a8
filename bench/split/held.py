"""reco, each of whose recommendations takes WORK_SECONDS more: a knee that one machine can pass.

    uvicorn bench.split.held:application

The event loop is held as by work, but no core is, so that the load has one for itself. A refusal
costs what it costs everywhere: a process that was slowed as a whole could not even refuse.
"""

import os
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reco_app.settings")

from django.core.asgi import get_asgi_application  # noqa: E402

get_asgi_application()

from reco_app.serving import api  # noqa: E402

WORK_SECONDS = 0.003
_at_once = api.at_once


def _held(body: bytes) -> bytes | None:
    time.sleep(WORK_SECONDS)
    return _at_once(body)


api.at_once = _held

from reco_app.asgi import application  # noqa: E402, F401
