from datetime import UTC, datetime, timedelta, timezone

import pytest

from reco_app.events import hash_keys, messages, service
from reco_app.events.contracts import Batch, Event
from reco_app.events.models import Event as Row
from reco_app.events.models import RejectedEvent, RejectionCount
from reco_app.events.senders import Origin
from reco_app.events.store import SAMPLES_A_DAY
from reco_app.settings import current

pytestmark = pytest.mark.usefixtures("shop")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORIGIN = Origin("network 192.0.2.1", keyed=False)
SENDER = ORIGIN.hashed(b"an hour's key")
FAR_EAST = timezone(timedelta(hours=23, minutes=15))  # farther than PostgreSQL knows


def event(event_id: str, **fields: object) -> Event:
    given = {"event_type": "view", "item_id": "22423", "session_id": "s1", "timestamp": NOW}
    return Event(event_id=event_id, **(given | fields))


def test_a_repeated_event_is_a_duplicate_and_is_stored_once() -> None:
    batch = Batch([event("a"), event("b")])
    service.receive(batch, consented=True, origin=ORIGIN, now=NOW)

    receipt = service.receive(
        Batch([event("b"), event("c")]), consented=True, origin=ORIGIN, now=NOW
    )

    assert (receipt.accepted, receipt.duplicates, receipt.rejected) == (1, 1, [])
    assert Row.objects.count() == 3


def test_an_event_named_twice_in_one_batch_counts_once() -> None:
    receipt = service.receive(
        Batch([event("a"), event("a")]), consented=True, origin=ORIGIN, now=NOW
    )

    assert (receipt.accepted, receipt.duplicates) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"item_id": "unheard-of"}, "unknown-item"),
        ({"event_type": "stare"}, "unknown-event-type"),
        ({"timestamp": NOW + timedelta(minutes=6)}, "timestamp-in-future"),
        ({"timestamp": NOW - timedelta(days=8)}, "timestamp-too-old"),
        ({"timestamp": datetime(4329, 6, 13, tzinfo=FAR_EAST)}, "timestamp-in-future"),
        ({"timestamp": datetime(1, 1, 1, tzinfo=FAR_EAST)}, "timestamp-too-old"),
    ],
)
def test_a_bad_event_is_rejected_by_index_and_the_others_are_kept(
    fields: dict[str, object], code: str
) -> None:
    batch = Batch([event("a"), event("bad", **fields), event("c")])

    receipt = service.receive(batch, consented=True, origin=ORIGIN, now=NOW)

    assert receipt.accepted == 2
    assert [(one.index, one.code) for one in receipt.rejected] == [(1, code)]
    assert RejectionCount.objects.get().code == code
    assert RejectedEvent.objects.get().code == code


def test_no_event_is_taken_of_a_day_that_may_expire_before_it_is_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    short = current().model_copy(update={"event_retention_days": 1})
    monkeypatch.setattr(service, "current", lambda: short)
    batch = Batch([event("a"), event("yesterday", timestamp=NOW - timedelta(hours=20))])

    receipt = service.receive(batch, consented=True, origin=ORIGIN, now=NOW)

    assert [(one.index, one.code) for one in receipt.rejected] == [(1, "timestamp-too-old")]


def test_of_many_rejections_all_are_counted_and_some_are_kept() -> None:
    batch = Batch([event(str(number), item_id="unheard-of") for number in range(80)])

    service.receive(batch, consented=True, origin=ORIGIN, now=NOW)
    service.receive(batch, consented=True, origin=ORIGIN, now=NOW)

    assert RejectionCount.objects.get().count == 160
    assert RejectedEvent.objects.count() == SAMPLES_A_DAY


def test_a_type_that_we_do_not_know_is_not_kept_as_text() -> None:
    batch = Batch([event("a", event_type="jane@example.org")])

    service.receive(batch, consented=True, origin=ORIGIN, now=NOW)

    assert RejectedEvent.objects.get().event_type == ""


def test_without_consent_neither_session_nor_recommendation_is_kept() -> None:
    batch = Batch([event("a", recommendation_id="01J.x")])

    service.receive(batch, consented=False, origin=ORIGIN, now=NOW)

    row = Row.objects.get()
    assert (row.session_hash, row.recommendation_id) == (None, None)


def test_a_session_is_one_number_on_one_day_and_another_on_the_next() -> None:
    yesterday = NOW - timedelta(days=1)
    batch = Batch([event("a"), event("b"), event("c", timestamp=yesterday)])

    service.receive(batch, consented=True, origin=ORIGIN, now=NOW)

    rows = Row.objects.order_by("occurred_at").values_list("session_hash", flat=True)
    assert len(set(rows)) == 2
    assert rows[1] == rows[2]


def test_forgetting_a_session_deletes_it_on_all_days_and_nothing_else() -> None:
    yesterday = NOW - timedelta(days=1)
    batch = Batch([event("a"), event("b", timestamp=yesterday), event("c", session_id="s2")])
    service.receive(batch, consented=True, origin=ORIGIN, now=NOW)

    assert service.forget("s1", now=NOW) == 2

    assert Row.objects.count() == 1


def test_what_was_under_way_when_its_session_was_forgotten_is_not_stored() -> None:
    before, after = NOW - timedelta(seconds=1), NOW + timedelta(seconds=6)
    ahead = NOW + timedelta(seconds=2)  # by the clock of another machine
    service.forget("s1", now=NOW)
    service.receive(Batch([event("a", timestamp=before)]), consented=True, origin=ORIGIN, now=NOW)
    keys = hash_keys.session_keys({NOW.date()})
    service.forget("s1", now=NOW)

    for number, received_at in enumerate([before, ahead, after]):
        taken = [event(f"late-{number}", timestamp=before)]
        service.keep(
            service.delivered(
                Batch(taken), taken, [], keys=keys, consented=True, sender=SENDER, now=received_at
            )
        )

    assert Row.objects.count() == 1


def test_a_delivery_that_comes_twice_counts_once_with_what_it_turned_away() -> None:
    batch = Batch([event("a"), event("bad", item_id="unheard-of")])
    taken, rejected = service.sorted_out(batch, {"22423"}, now=NOW)
    delivery = service.delivered(
        batch, taken, rejected, keys={}, consented=False, sender=SENDER, now=NOW
    )
    text = messages.encode(delivery)

    assert [service.keep(messages.decode(text)) for _ in range(2)] == [1, 0]

    assert RejectionCount.objects.get().count == 1


def test_an_event_without_a_time_happened_when_it_arrived() -> None:
    service.receive(Batch([event("a", timestamp=None)]), consented=True, origin=ORIGIN, now=NOW)

    assert Row.objects.get().occurred_at == NOW
