"""How a worker takes messages: as Celery does, but that it is back with its broker soon."""

from functools import partial
from typing import Any

from celery.worker.consumer import Consumer

from reco_app.broker import EVERY_SECOND


class Impatient(Consumer):  # type: ignore[misc]  # Celery ships no types
    """Looks for a broker that is away every second."""

    def ensure_connected(self, conn: Any) -> Any:
        conn.ensure_connection = partial(conn.ensure_connection, **EVERY_SECOND)
        return super().ensure_connected(conn)
