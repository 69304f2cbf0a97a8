"""How soon events are felt: from their intake to the answers of the process that took them in.

Every process that takes events also hears of them when they are stored, as all others do. So both
moments are of one clock, and machines may disagree about the time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from prometheus_client import Histogram

from reco_app.events.messages import Delivery
from reco_app.events.recent import LEARNED
from runtime import metrics

MOST_ON_THEIR_WAY = 1000
LATE_SECONDS = 60.0  # what is not felt by then counts as if it were

seconds = Histogram(
    "multireco_event_to_effect_seconds",
    "From the intake of a delivery of events until answers felt it, in the process that took it.",
    buckets=(0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 30, LATE_SECONDS),
    registry=metrics.registry,
)


class _Deliveries:
    """Names and times of intake of those on their way; times of those heard of, but not felt yet.

    One thread takes in, another hears and feels: each step is a single operation on a dict.
    """

    def __init__(self) -> None:
        self.followed = False
        self.on_their_way: dict[str, float] = {}
        self.heard: list[float] = []


_deliveries = _Deliveries()


@contextmanager
def awaited(delivery: Delivery) -> Iterator[None]:
    """A delivery that is stored in here is on its way, unless that fails."""
    began(delivery)
    try:
        yield
    except BaseException:
        forget(delivery)
        raise


def began(delivery: Delivery) -> None:
    """This one is on its way, and will be told of if there is anything in it to learn from."""
    on_their_way = _deliveries.on_their_way
    if (
        _deliveries.followed
        and len(on_their_way) < MOST_ON_THEIR_WAY
        and any(event.event_type in LEARNED for event in delivery.events)
    ):
        on_their_way[delivery.name] = monotonic()


def forget(delivery: Delivery) -> None:
    """Nothing will be told of this one, or not under its own name."""
    _deliveries.on_their_way.pop(delivery.name, None)


def told(name: str) -> None:
    """The delivery is stored, and what answers follow has it."""
    taken_at = _deliveries.on_their_way.pop(name, None)
    if taken_at is not None:
        _deliveries.heard.append(taken_at)


def felt() -> None:
    """Answers know of all that was told."""
    now = monotonic()
    for taken_at in _deliveries.heard:
        seconds.observe(now - taken_at)
    _deliveries.heard.clear()
    for name, taken_at in list(_deliveries.on_their_way.items()):
        if now - taken_at < LATE_SECONDS:
            break
        _deliveries.on_their_way.pop(name, None)
        seconds.observe(LATE_SECONDS)
    _deliveries.followed = True


def lose_sight() -> None:
    """Nobody tells of deliveries for now: those on their way are not measured."""
    _deliveries.followed = False
    _deliveries.on_their_way.clear()
    _deliveries.heard.clear()
