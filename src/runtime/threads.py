"""gunicorn's threads; each knows how long its request has waited for it."""

from time import perf_counter
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from runtime.overload import TARGET_SECONDS, gate, thread


class Worker(ThreadWorker):  # type: ignore[misc]  # it ships no types
    """For gunicorn's option `--worker-class`."""

    def enqueue_req(self, conn: Any) -> None:
        """Let a connection on which something has come wait for a thread."""
        conn.came_at = perf_counter()
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Answer it, in a thread."""
        thread.waited = perf_counter() - conn.came_at
        if thread.waited <= TARGET_SECONDS:  # first come, first served: nobody waits for longer
            gate.queue.emptied()
        return super().handle(conn)
