"""What is told of the newest sessions."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from reco_app.events import recent, store
from reco_app.events.recent import ALONE, LEARNED, Row
from reco_app.events.store import StoredEvent

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TODAY = datetime(2026, 11, 22, tzinfo=UTC)
SESSIONS = list(range(150))


def stored(*rows: tuple[int | None, str, str, int]) -> list[StoredEvent]:
    """Events of a session, on an item, of a type, so many seconds before noon."""
    events = [_event(*row) for row in rows]
    for event in events:  # one by one: numbers are given in this order
        store.add([event])
    return events


def _event(session: int | None, item_id: str, event_type: str, seconds: int) -> StoredEvent:
    return StoredEvent(
        event_id=uuid4().hex,
        session_hash=session,
        item_id=item_id,
        event_type=event_type,
        quantity=1,
        price=None,
        occurred_at=NOW - timedelta(seconds=seconds),
    )


def told(session: int) -> dict[tuple[str, str], Row]:
    [state] = recent.of_sessions([session], now=NOW)
    return {(row.item_id, LEARNED[row.kind]): row for row in state.rows}


def test_a_state_tells_where_in_a_session_a_product_was_met_last():
    stored((7, "a", "view", 30), (7, "b", "view", 20), (7, "c", "view", 20), (7, "a", "view", 10))

    rows = told(7)

    assert {item: row.position for (item, _), row in rows.items()} == {"a": 2, "b": 1, "c": 1}
    assert rows["a", "view"].at == NOW.timestamp() - 10


def test_a_state_tells_of_the_first_event_of_each_type():
    stored((7, "a", "view", 30), (7, "a", "purchase", 20), (7, "a", "view", 10))

    rows = told(7)

    assert rows["a", "view"].number < rows["a", "purchase"].number


def test_what_training_does_not_count_is_not_told():
    stored((7, "a", "impression", 30), (7, "b", "remove-from-cart", 20))

    assert list(recent.of_sessions([7], now=NOW)) == []


def test_of_a_long_session_the_products_met_last_are_told():
    stored(*((7, f"p{number:02}", "view", 100 - number) for number in range(recent.MOST_ITEMS + 2)))

    items = {item for item, _ in told(7)}

    assert len(items) == recent.MOST_ITEMS
    assert not items & {"p00", "p01"}


def test_a_session_longer_than_any_visit_is_not_told(monkeypatch):
    monkeypatch.setattr(recent, "MOST_EVENTS", 2)
    stored((7, "a", "view", 30), (7, "b", "view", 20), (7, "c", "view", 10))

    assert list(recent.of_sessions([7], now=NOW)) == []


def test_an_event_without_a_session_is_told_alone():
    [event] = stored((None, "a", "purchase", 10))

    [state] = recent.of_events([(event.occurred_at, event.event_id)], now=NOW)

    assert (state.name, state.events) == (recent.name_of(event.event_id), 1)
    assert [(row.item_id, row.position) for row in state.rows] == [("a", ALONE)]


def test_what_came_since_a_number_is_told_with_all_that_its_sessions_did_before():
    stored((7, "a", "view", 30), (8, "b", "view", 30))
    [before] = recent.of_sessions([8], now=NOW)
    stored((7, "c", "view", 10), (None, "d", "view", 10))

    states = list(recent.since(before.rows[0].number, most=10, now=NOW))

    assert {row.item_id for state in states for row in state.rows} == {"a", "c", "d"}


def test_of_very_many_sessions_the_newest_are_told():
    stored((7, "a", "view", 30), (8, "b", "view", 20), (9, "c", "view", 10))

    assert [state.name for state in recent.since(0, most=2, now=NOW)] == [8, 9]


def test_sessions_are_found_however_many_numbers_lie_between(monkeypatch):
    monkeypatch.setattr(recent, "NUMBERS_AT_A_TIME", 2)
    stored((9, "e", "view", 60))
    [before] = recent.of_sessions([9], now=NOW)
    stored(*((7, "a", kind, 50) for kind in ("view", "impression", "impression", "impression")))
    stored((8, "b", "view", 40), (None, "c", "view", 30), (7, "d", "view", 20))

    states = list(recent.since(before.rows[0].number, most=10, now=NOW))

    assert sorted(state.rows[0].item_id for state in states) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("query", "given"),
    [
        (store.IMPOSSIBLE, (60, SESSIONS, TODAY, 60, 2000)),
        (recent.OF_SESSIONS, (SESSIONS, TODAY, ["view"])),
    ],
)
def test_sessions_of_a_day_that_nobody_has_analysed_are_found_by_their_index(query, given):
    many = ((number // 7, f"p{number % 90}", "view", number) for number in range(20_000))
    store.copy(_event(*row) for row in many)

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {query}", given)
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "events_on_20261122_session_hash_idx" in plan
    assert "events_on_20261122_pkey" not in plan  # for each session the whole day


def test_days_before_the_last_ones_are_not_told():
    day = 24 * 3600
    stored((7, "a", "view", 3 * day), (8, "b", "view", 2 * day))

    assert [state.name for state in recent.since(0, most=10, now=NOW)] == [8]
