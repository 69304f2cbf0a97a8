"""Says no in time: what has waited too long for its turn, or has too many before it, is not begun.

Two things fill up in a process, and each has a limit of its own:

- The queue for the event loop, or for a thread. As in CoDel (RFC 8289; Maurer, "Fail at Scale",
  ACM Queue 2015) what counts is not its length but how long requests wait in it: one that stands
  above TARGET_SECONDS for INTERVAL_SECONDS is a standing queue, and no burst. Then is refused what
  has waited longer than PATIENCE_SECONDS lets it.
- What is in flight, waiting for stores and neighbours, lane by lane: a store that hangs fills the
  lane of those who need it, and no other. A lane's limit adapts as AIMDLimit of Netflix's
  concurrency-limits does: a slow answer cuts it, answers in time raise it while it is in use.
"""

from collections.abc import Callable, Iterable
from math import inf
from random import randint
from threading import local
from typing import Any

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from runtime import metrics
from runtime.asgi import Scope, header
from runtime.problems import Problem

CAME_AT = "multireco.came_at"
TARGET_SECONDS = 0.015  # of a whole answer 150 ms are promised; how soon a refusal is back, too
INTERVAL_SECONDS = 0.1  # a burst of as much as can be answered in it is answered
# A queue that stood just now stands at once when waits are long again: the load had only paused.
RESUME_SECONDS = 1.0
# By priority: how long a request may have waited and still begin while the queue stands.
PATIENCE_SECONDS = {
    "high": TARGET_SECONDS,
    "middle": TARGET_SECONDS / 2,
    "low": -inf,
}
SLOW_SECONDS = 1.0  # what a component waits for its neighbour
LEAST, FIRST, MOST = 32, 256, 1024
# RFC 9218: the least urgent. Whoever asks so is refused first.
PRIORITY, BACKGROUND = b"priority", b"u=7"


class Queue:
    """How long requests wait for their turn. Times are perf_counter's, handed in."""

    def __init__(self) -> None:
        self._round_at = self._since = self._slow_at = self._stood_at = 0.0
        self._slow = False

    def came(self, now: float, call_soon: Callable[[Callable[[], None]], Any]) -> float:
        """When the event loop found this request, and those that it reads together with it.

        It reads all that have come and then answers them one after the other, so the last of a
        round has waited for all others. A round without long waits ends a standing queue.
        """
        if not self._round_at:
            self._round_at = now
            if not self._slow:
                self._since = 0.0
            self._slow = False
            call_soon(self._all_read)
        return self._round_at

    def _all_read(self) -> None:
        self._round_at = 0.0

    def began_late(self, now: float) -> None:
        """One request has waited for longer than it should until `now`."""
        if not self._since or now - self._slow_at > INTERVAL_SECONDS:
            resumed = now - self._stood_at < RESUME_SECONDS
            self._since = now - 2 * INTERVAL_SECONDS if resumed else now
        self._slow, self._slow_at = True, now

    def emptied(self) -> None:
        """Nobody else waits."""
        self._since = 0.0

    def stands(self, now: float) -> bool:
        """Whether requests have had to wait for so long that it is no burst."""
        if not self._since or now - self._slow_at > INTERVAL_SECONDS:
            return False
        if now - self._since <= INTERVAL_SECONDS:
            return False
        self._stood_at = now
        return True


class Lane:
    """Requests that lean on the same things."""

    def __init__(self, name: str, *, route: str | None = None, priority: str = "high") -> None:
        self.name, self.route = name, route
        self.priority = priority
        self.patience_seconds = PATIENCE_SECONDS[priority]
        self.in_flight = 0
        self.limit = float(FIRST)
        self._cut_at = 0.0
        self.shed = metrics.shed_total.labels(priority, name)

    def leave(self, began: float, now: float) -> None:
        """One that was let in at `began` is answered."""
        if now - began > SLOW_SECONDS:
            if began > self._cut_at:  # once for all that were in flight together
                self._cut_at = now
                self.limit = max(LEAST, self.limit * 0.9)
        elif self.in_flight * 2 >= self.limit:
            self.limit = min(MOST, self.limit + 1)
        self.in_flight -= 1


class Gate(Collector):
    """Who is let in: all lanes of a process, and its queue."""

    def __init__(self) -> None:
        self.queue = Queue()
        self._background = Lane("background", priority="low")
        self._pages = Lane("pages", priority="middle")
        self._exact = {
            path: Lane(path.rpartition("/")[2], route=path)
            for path in ("/v1/recommendations", "/v1/events")
        }
        catalog, profile, internal = Lane("catalog"), Lane("profile"), Lane("internal")
        files = Lane("files")  # a page without them is of no use
        self._prefixes = {
            "/v1/sessions/": self._exact["/v1/events"],
            "/v1/products": catalog,
            "/v1/categories": catalog,
            "/v1/profiles": profile,
            "/v1/preferences": profile,
            "/internal/": internal,
            "/static/": files,
            "/v1/": self._background,  # what is not named above: batches, imports
        }
        others = (catalog, profile, internal, files, self._pages, self._background)
        self._lanes = (*self._exact.values(), *others)

    def lane(self, path: str, priority: bytes) -> Lane:
        """What has no lane of its own is a page, or in the background where it says so."""
        if BACKGROUND in priority:  # beside other words, as in "u=7, i"
            return self._background
        exact = self._exact.get(path)
        if exact is not None:
            return exact
        found = (lane for prefix, lane in self._prefixes.items() if path.startswith(prefix))
        return next(found, self._pages)

    def enter(self, lane: Lane, *, waited: float, now: float) -> bool:
        """Whether this lane's request may begin; then it must `leave`."""
        if waited > TARGET_SECONDS:
            self.queue.began_late(now)
        impatient = waited > lane.patience_seconds
        if lane.in_flight >= lane.limit or (impatient and self.queue.stands(now)):
            lane.shed.inc()
            return False
        lane.in_flight += 1
        return True

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """For the registry."""
        words = "Requests that are being answered."
        in_flight = GaugeMetricFamily("multireco_requests_in_flight", words, labels=["lane"])
        words = "As many may be in flight before further ones are refused."
        limit = GaugeMetricFamily("multireco_concurrency_limit", words, labels=["lane"])
        for lane in self._lanes:
            in_flight.add_metric([lane.name], lane.in_flight)
            limit.add_metric([lane.name], int(lane.limit))
        return in_flight, limit


gate = Gate()
thread = local()  # `waited`: seconds until this thread took up its request
metrics.registry.register(gate)


def admitted(scope: Scope, now: float) -> Lane | None:
    """The lane that a request of ASGI has entered; None if it is to be refused."""
    lane = gate.lane(scope["path"], header(scope, PRIORITY))
    return lane if gate.enter(lane, waited=now - scope.get(CAME_AT, now), now=now) else None


def refusal() -> Problem:
    """What those who are not let in are told; not all are to come back at the same moment."""
    return Problem(
        "unavailable",
        "There are more requests than can be answered in time; come back after Retry-After.",
        headers={"Retry-After": str(randint(1, 3))},
    )
