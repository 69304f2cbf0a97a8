"""From the intake of a delivery to its effect, by one clock."""

from datetime import UTC, datetime

import pytest

from reco_app.events import effect, messages
from reco_app.events.messages import Delivery
from reco_app.events.senders import Sender
from reco_app.events.store import StoredEvent
from runtime import metrics

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def followed(monkeypatch):
    monkeypatch.setattr(effect, "_deliveries", effect._Deliveries())
    effect.felt()


@pytest.fixture
def clock(monkeypatch):
    moment = [100.0]
    monkeypatch.setattr(effect, "monotonic", lambda: moment[0])
    return moment


def delivery(kind: str = "view") -> Delivery:
    event = StoredEvent("0" * 32, 1, "p1", kind, 1, None, NOW)
    return messages.new(events=[event], rejected=[], sender=Sender(1, keyed=False), received_at=NOW)


def measured() -> tuple[float, float]:
    """How many were measured so far, and the sum of their seconds."""
    name = "multireco_event_to_effect_seconds"
    count, total = (metrics.registry.get_sample_value(f"{name}_{of}") for of in ("count", "sum"))
    return count or 0.0, total or 0.0


def test_a_delivery_is_measured_from_its_intake_until_it_is_felt(clock):
    before, one = measured(), delivery()

    effect.began(one)
    clock[0] += 1.5
    effect.told(one.name)
    clock[0] += 0.5
    effect.felt()

    assert measured() == (before[0] + 1, before[1] + 2.0)


def test_what_is_never_told_counts_as_late(clock):
    before = measured()

    effect.began(delivery())
    clock[0] += effect.LATE_SECONDS
    effect.felt()
    effect.felt()

    assert measured() == (before[0] + 1, before[1] + effect.LATE_SECONDS)


def test_what_teaches_nothing_failed_or_came_while_nobody_told_is_not_measured(clock):
    before, lost = measured(), delivery()

    effect.began(delivery("impression"))
    with pytest.raises(OSError, match="disk"), effect.awaited(delivery()):
        raise OSError("disk")
    effect.began(lost)
    effect.lose_sight()
    effect.began(delivery())
    effect.told(lost.name)
    clock[0] += effect.LATE_SECONDS
    effect.felt()

    assert measured() == before


def test_what_is_on_its_way_takes_bounded_memory(clock):
    for _ in range(effect.MOST_ON_THEIR_WAY + 5):
        effect.began(delivery())

    assert len(effect._deliveries.on_their_way) == effect.MOST_ON_THEIR_WAY
