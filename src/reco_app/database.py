"""Every statement that Django sends to PostgreSQL is measured and traced, as other calls are."""

from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from runtime import metrics, tracing


def measure() -> None:
    """From now on."""
    connection_created.connect(_begin)


def _begin(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(_timed)


def _timed(execute: Callable[..., Any], sql: Any, *more: Any) -> Any:
    with metrics.timed("postgresql"), tracing.stating(sql):
        return execute(sql, *more)
