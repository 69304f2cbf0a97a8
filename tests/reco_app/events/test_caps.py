from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection

from reco_app.curation.models import Product
from reco_app.events import caps, hash_keys, messages, quarantine, senders, service
from reco_app.events.contracts import Batch, Event
from reco_app.events.models import Event as Row
from reco_app.events.models import (
    HeardEvent,
    KeyTally,
    QuarantineCase,
    QuarantinedEvent,
    ReleasedSession,
    SenderKey,
)
from reco_app.events.senders import Origin
from reco_app.settings import current

pytestmark = pytest.mark.usefixtures("shop")
NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
HOME = Origin("network 192.0.2.1", keyed=False)
ELSEWHERE = Origin("network 198.51.100.1", keyed=False)
BACKEND = Origin("key of the shop", keyed=True)
TARGET, OTHER = "22423", "85123A"


def visits(numbers: Iterable[int], *items: str, name: str = "s") -> list[Event]:
    """Sessions of one view of each of these products."""
    return [
        Event(
            event_id=f"{name}{number}-{item}",
            session_id=f"{name}{number}",
            event_type="view",
            item_id=item,
            timestamp=NOW,
        )
        for number in numbers
        for item in items
    ]


def post(events: list[Event], *, origin: Origin = HOME, now: datetime = NOW) -> None:
    for first in range(0, len(events), 100):
        batch = Batch(events[first : first + 100])
        receipt = service.receive(batch, consented=True, origin=origin, now=now)
        assert receipt.accepted == len(batch.events)


def stored() -> Counter[str]:
    return Counter(Row.objects.values_list("item_id", flat=True))


def case() -> QuarantineCase:
    return QuarantineCase.objects.get()


def test_of_a_burst_nothing_counts_whatever_came_of_it_before() -> None:
    post(visits(range(20), TARGET))
    assert stored()[TARGET] == 20

    post(visits(range(20, 200), TARGET))

    assert stored()[TARGET] == 0
    assert QuarantinedEvent.objects.count() == 200
    assert (case().reason, case().item_id) == ("burst", TARGET)


def test_a_session_that_takes_part_in_a_burst_counts_for_nothing_else_either() -> None:
    post(visits(range(40), OTHER, TARGET))
    late = Event(
        event_id="late", session_id="s1", event_type="purchase", item_id=OTHER, timestamp=NOW
    )
    post([late], origin=ELSEWHERE)

    assert stored() == {}


def test_events_without_a_session_are_a_burst_too() -> None:
    events = [
        Event(event_id=str(number), event_type="purchase", item_id=TARGET) for number in range(100)
    ]

    service.receive(Batch(events[:20]), consented=False, origin=HOME, now=NOW)
    service.receive(Batch(events[20:]), consented=False, origin=HOME, now=NOW)

    assert stored() == {}
    assert QuarantinedEvent.objects.count() == 100


def test_what_many_networks_like_is_no_burst() -> None:
    for number in range(60):
        origin = Origin(f"network {number}", keyed=False)
        post(visits([number], TARGET), origin=origin)

    assert stored()[TARGET] == 60


def test_what_a_large_network_likes_no_more_than_much_else_is_no_burst() -> None:
    post(visits(range(200), OTHER, name="other"), origin=ELSEWHERE)
    assert stored()[OTHER] == 0  # of one product alone it is

    Product.objects.bulk_create(_products(20))
    events = [event for n in range(200) for event in visits([n], f"p{n % 20}", f"p{(n + 1) % 20}")]
    post(events)

    assert sum(stored().values()) == 400


def test_a_burst_that_hides_among_other_visits_is_one_all_the_same() -> None:
    Product.objects.bulk_create(_products(20))
    decoys = [event for n in range(600) for event in visits([n], f"p{n % 20}", name="decoy")]
    post(decoys)
    post(visits(range(120), TARGET))
    assert stored()[TARGET] == 120

    post(visits(range(120, 125), TARGET))

    assert stored()[TARGET] == 0
    assert sum(stored().values()) == 600


def test_a_shops_backend_speaks_for_all_of_its_shoppers() -> None:
    post(visits(range(200), TARGET), origin=BACKEND)

    assert stored()[TARGET] == 200
    assert KeyTally.objects.get().events == 200


def test_a_key_has_its_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "KEY_EVENTS", 150)

    post(visits(range(200), TARGET), origin=BACKEND)

    assert stored()[TARGET] == 150
    assert case().reason == "key-events"


def test_sessions_beyond_their_networks_cap_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, network_sessions_per_hour=50, network_product_sessions_per_hour=1000)

    post(visits(range(50), TARGET))
    post(visits(range(50, 120), TARGET))
    post(visits([0], OTHER))
    post(visits([119], OTHER))

    assert stored() == {TARGET: 50, OTHER: 1}
    assert case().reason == "network-sessions"


def test_events_beyond_their_networks_cap_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, network_sessions_per_hour=5, network_product_sessions_per_hour=1000)
    Product.objects.bulk_create(_products(30))

    post([event for item in range(30) for event in visits(range(3), f"p{item}")])

    assert sum(stored().values()) == 50
    assert HeardEvent.objects.count() == 50
    assert case().reason == "network-events"


def test_the_next_hour_begins_anew() -> None:
    post(visits(range(25), TARGET))
    post(visits(range(25, 50), TARGET), now=NOW + timedelta(hours=1))

    assert stored()[TARGET] == 50


def test_nobody_looks_at_so_many_products_in_one_minute() -> None:
    Product.objects.bulk_create(_products(61))
    items = [f"p{number}" for number in range(61)]

    post(visits([1], *items[:60]))
    assert sum(stored().values()) == 60
    post(visits([1], items[60]))

    assert stored() == {}
    assert case().reason == "too-fast"


def test_a_released_session_may_go_on() -> None:
    Product.objects.bulk_create(_products(62))
    items = [f"p{number}" for number in range(62)]
    post(visits([1], *items[:61]))
    quarantine.release(case().pk, now=NOW)

    post(visits([1], items[61]))

    assert sum(stored().values()) == 62
    assert QuarantinedEvent.objects.count() == 0


def test_what_staff_said_of_a_session_is_forgotten_with_it() -> None:
    Product.objects.bulk_create(_products(61))
    post(visits([1], *(f"p{number}" for number in range(61))))
    quarantine.release(case().pk, now=NOW)
    assert ReleasedSession.objects.count() == 1

    service.forget("s1", now=NOW)

    assert ReleasedSession.objects.count() == 0


def test_a_page_may_show_as_many_and_a_basket_hold_them() -> None:
    Product.objects.bulk_create(_products(50))
    events = [
        Event(
            event_id=f"{kind}{number}",
            session_id="s",
            event_type=kind,
            item_id=f"p{number}",
            timestamp=NOW,
        )
        for kind in ("impression", "purchase")
        for number in range(50)
    ]

    post(events)

    assert sum(stored().values()) == 100


def test_a_session_longer_than_any_visit_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "MOST_OF_A_SESSION", 20)
    events = [
        Event(event_id=str(n), session_id="s", event_type="view", item_id=TARGET, timestamp=NOW)
        for n in range(21)
    ]

    post(events[:20])
    assert stored()[TARGET] == 20
    post(events[20:])

    assert stored() == {}
    assert case().reason == "too-long"


def test_what_a_session_is_shown_does_not_make_it_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "MOST_OF_A_SESSION", 20)
    shown = [
        Event(
            event_id=str(n), session_id="s1", event_type="impression", item_id=TARGET, timestamp=NOW
        )
        for n in range(50)
    ]

    post(shown + visits([1], TARGET))

    assert stored()[TARGET] == 51


def test_a_delivery_that_comes_again_is_not_counted_again() -> None:
    taken = visits(range(20), TARGET)
    day_keys = hash_keys.session_keys({NOW.date()})
    sender = HOME.hashed(b"an hour's key")
    delivery = service.delivered(
        Batch(taken), taken, [], keys=day_keys, consented=True, sender=sender, now=NOW
    )
    both = messages.joined([delivery, delivery])

    assert [service.keep(both), service.keep(delivery)] == [20, 0]

    assert HeardEvent.objects.count() == 20
    assert stored()[TARGET] == 20


def test_what_is_released_counts_once_and_is_not_held_again_within_the_hour() -> None:
    post(visits(range(40), TARGET))

    assert [quarantine.release(case().pk, now=NOW) for _ in range(2)] == [40, 0]
    post(visits(range(40, 50), TARGET))

    assert stored()[TARGET] == 50
    assert case().verdict == "released"


def test_what_is_dropped_is_gone() -> None:
    post(visits(range(40), TARGET))

    assert quarantine.drop(case().pk) == 40

    assert (QuarantinedEvent.objects.count(), stored()) == (0, {})
    assert case().verdict == "dropped"


def test_what_comes_after_a_verdict_waits_for_another() -> None:
    post(visits(range(40), TARGET))
    quarantine.drop(case().pk)
    assert quarantine.undecided() == 0

    post(visits(range(40, 45), TARGET))

    assert (case().verdict, quarantine.undecided()) == ("open", 5)


def test_nothing_is_released_into_a_day_that_is_closed() -> None:
    post(visits(range(40), TARGET))
    with pytest.raises(IntegrityError, match="closed"):
        _close_today_and_release()

    assert QuarantinedEvent.objects.count() == 40


def test_a_session_is_forgotten_in_the_quarantine_too() -> None:
    post(visits(range(40), TARGET))

    assert service.forget("s1", now=NOW) == 1

    assert QuarantinedEvent.objects.count() == 39
    assert HeardEvent.objects.count() == 39


def test_after_the_hour_nothing_tells_who_sent_what() -> None:
    post(visits(range(40), TARGET))
    post(visits(range(5), OTHER), origin=BACKEND)

    senders.keys_of([NOW.replace(minute=0) + timedelta(hours=1)])

    assert SenderKey.objects.get().hour == NOW.replace(minute=0) + timedelta(hours=1)
    assert (HeardEvent.objects.count(), KeyTally.objects.count()) == (0, 0)
    assert case().sender is None


def limit(monkeypatch: pytest.MonkeyPatch, **given: int) -> None:
    monkeypatch.setattr(caps, "current", lambda: current().model_copy(update=given))


def _products(count: int) -> list[Product]:
    return [
        Product(item_id=f"p{number}", title="p", price="1", currency="GBP", version=10 + number)
        for number in range(count)
    ]


def _close_today_and_release() -> None:
    with connection.cursor() as cursor:
        cursor.execute('DROP TABLE "events_on_20261122"')
        cursor.execute("INSERT INTO events_closedday VALUES ('2026-11-22', 'x.parquet')")
    quarantine.release(case().pk, now=NOW)
