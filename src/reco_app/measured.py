"""What a worker's tasks wait and take, counted in the worker's own process and told from there."""

from time import monotonic, time
from typing import Any

from celery import bootsteps
from celery.worker.request import Request
from click import Option
from prometheus_client import Histogram

from runtime import metrics, probes

SENT_AT = "sent_at"
LISTEN = Option(
    ["--listen"],
    metavar="HOST:PORT",
    default="",
    help="Where to answer /livez, /readyz and /metrics; nowhere if not given.",
)
_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)

wait_seconds = Histogram(
    "multireco_task_wait_seconds",
    "From sending a task until a worker began with it, by the clocks of both.",
    ("queue",),
    buckets=_SECONDS,
    registry=metrics.registry,
)
task_seconds = Histogram(
    "multireco_task_seconds",
    "How long a task took; outcome is done or failed.",
    ("task", "outcome"),
    buckets=_SECONDS,
    registry=metrics.registry,
)


class Measured(Request):  # type: ignore[misc]  # Celery ships no types
    """A task from its being taken from the queue to its end, in the parent of the pool."""

    outcome = "done"

    def on_accepted(self, pid: int, time_accepted: float) -> None:
        sent_at = self.request_dict.get(SENT_AT)
        if isinstance(sent_at, float):
            queue = self.delivery_info["routing_key"]
            wait_seconds.labels(queue).observe(max(0.0, time() - sent_at))
        super().on_accepted(pid, time_accepted)
        self.began_at = monotonic()

    def on_failure(self, *args: Any, **options: Any) -> Any:
        self.outcome = "failed"
        return super().on_failure(*args, **options)

    def acknowledge(self) -> None:
        self._observe()
        super().acknowledge()

    def reject(self, requeue: bool = False) -> None:
        self._observe()
        super().reject(requeue=requeue)

    def _observe(self) -> None:
        began_at = getattr(self, "began_at", None)
        if began_at is not None and not self.acknowledged:
            task_seconds.labels(self.name, self.outcome).observe(monotonic() - began_at)


class Listening(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery ships no types
    """Answers probes once the pool's processes are there, so that none is forked amid an answer."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, listen: str = "", **options: Any) -> None:
        self.listen = listen
        super().__init__(parent, **options)

    def start(self, parent: Any) -> None:
        if self.listen:
            host, _, port = self.listen.rpartition(":")
            probes.serve(host, int(port))


def stamp(*, headers: dict[str, Any], **_: Any) -> None:
    """Write on a task when it was sent."""
    headers[SENT_AT] = time()
