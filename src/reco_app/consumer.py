"""How a worker takes messages: as Celery does, but that it is back with its broker soon."""

from functools import partial
from typing import Any

from celery.worker.consumer import Consumer

LOOK_SECONDS = 1.0


class Impatient(Consumer):  # type: ignore[misc]  # Celery ships no types
    """Looks for a broker that is away every second; Celery waits 2 seconds longer each time, 30
    in the end, and events that came in through the queue would wait with it."""

    def ensure_connected(self, conn: Any) -> Any:
        conn.ensure_connection = partial(
            conn.ensure_connection,
            interval_start=LOOK_SECONDS,
            interval_step=0,
            interval_max=LOOK_SECONDS,
        )
        return super().ensure_connected(conn)
