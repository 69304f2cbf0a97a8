"""JSON log lines on stdout: no address, no visitor id, no free text of a shopper."""

import logging
import sys
from datetime import UTC, datetime
from functools import lru_cache, partial
from time import time
from typing import Any

import orjson
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.orjson import OrjsonFormatter

from runtime import context, stdout

# Servers and libraries that install handlers of their own, or repeat what the shell logs.
_ADOPTED = ("uvicorn", "uvicorn.error", "gunicorn.error", "celery", "django", "django.server")
_SILENCED = ("uvicorn.access", "gunicorn.access")
_TALKATIVE = ("alembic.runtime.plugins", "httpx2", "httpcore2", "stamina", "urllib3", "pymongo")

# They say at WARNING what the access line says without: of a page not found its path, of a request
# that is no HTTP the caller's address and words.
_ERRORS_ALONE = ("django.request", "gunicorn.error")
# Whatever a line may have; deploy/logging/index-template.json tells the type of each.
FIELDS = frozenset(
    {
        *("time", "level", "logger", "component", "request_id", "trace_id", "message"),
        *("method", "route", "status", "duration_ms"),
        *("release", "sessions", "live", "exc_info", "stack_info"),
    }
)
_access = logging.getLogger("multireco.access")


class _Line(OrjsonFormatter):
    """Adds to each record when and where it was made, and for which request."""

    def __init__(self, component: str) -> None:
        super().__init__("%(message)s", reserved_attrs=[*RESERVED_ATTRS, "color_message"])
        self._component = component

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        request = context.current()
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat()
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["component"] = request.component or self._component
        if request.request_id:
            log_data["request_id"] = request.request_id
            log_data["trace_id"] = request.trace_id
        super().add_fields(log_data, record, message_dict)
        for unknown in log_data.keys() - FIELDS:  # such as Celery's, with arguments of tasks
            del log_data[unknown]


def access(
    request: context.RequestContext, *, method: str, route: str, status: int, seconds: float
) -> None:
    """One line for one answer, written by itself.

    The way through logging's records and formatters costs as much as a recommendation.
    """
    if not _access.isEnabledFor(logging.INFO):
        return
    stdout.put(partial(_answered, request, time(), method, route, status, seconds))


def _answered(
    request: context.RequestContext,
    at: float,
    method: str,
    route: str,
    status: int,
    seconds: float,
) -> bytes:
    """By hand, in 1.3 µs for orjson's 1.9. `context.received` lets in no id to be quoted."""
    second, micro = divmod(round(at * 1_000_000), 1_000_000)
    return (
        f'{{"time":"{_second(second)}.{micro:06d}+00:00",'
        f"{_of_its_kind(request.component, method, route, status)},"
        f'"request_id":"{request.request_id}","trace_id":"{request.trace_id}",'
        f'"duration_ms":{seconds * 1e3:.3f}}}\n'
    ).encode()


@lru_cache(maxsize=4)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=1024)
def _of_its_kind(component: str, method: str, route: str, status: int) -> str:
    """What all lines of one kind have in common."""
    common = {
        "level": "INFO",
        "logger": _access.name,
        "component": component,
        "message": "answered",
        "method": method,
        "route": route,
        "status": status,
    }
    return orjson.dumps(common).decode()[1:-1]


def configure(component: str, level: str) -> None:
    """Send every logger of this process to stdout as JSON; calling it again changes the level."""
    root = logging.getLogger()
    root.setLevel(level)
    if not any(isinstance(handler.formatter, _Line) for handler in root.handlers):
        lines = logging.StreamHandler(sys.stdout)
        lines.setFormatter(_Line(component))
        root.handlers[:] = [lines]
    adopt()


def adopt() -> None:
    """Take over the loggers of servers and libraries, whatever those have done to them."""
    for name in _ADOPTED:
        adopted = logging.getLogger(name)
        adopted.handlers.clear()
        adopted.propagate = True
    for name in _SILENCED:
        silenced = logging.getLogger(name)
        silenced.handlers.clear()
        silenced.propagate = False
    for name in _ERRORS_ALONE:
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
