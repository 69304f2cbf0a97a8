from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from time import sleep

import pyarrow.parquet as parquet
import pytest
from django.db import IntegrityError, connection, connections, transaction

from reco_app.events import days, export, importing, retention, service
from reco_app.events.contracts import Batch, Event
from reco_app.events.models import Event as Row
from reco_app.events.models import EventId, SessionKey
from reco_app.events.rows import BadValue, ImportedEvent, read_row
from reco_app.events.senders import Origin

pytestmark = pytest.mark.usefixtures("shop")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORIGIN = Origin("network 192.0.2.1", keyed=False)
TODAY = NOW.date()


@pytest.fixture(autouse=True)
def _no_days(shop: None) -> None:
    """What other tests stored was deleted, but their days are still there."""
    with connection.cursor() as cursor:
        for day in days.stored():
            cursor.execute(f'DROP TABLE "events_on_{day:%Y%m%d}"')


def receive(*days_ago: int) -> None:
    events = [
        Event(
            event_id=f"{NOW}-{ago}",
            event_type="view",
            item_id="22423",
            session_id="s1",
            timestamp=NOW - timedelta(days=ago),
        )
        for ago in days_ago
    ]
    service.receive(Batch(events), consented=True, origin=ORIGIN, now=NOW)


def history(*days_ago: int) -> int:
    """Import one event for each of these days."""
    moments = [NOW - timedelta(days=ago) for ago in days_ago]
    return importing.keep(
        [ImportedEvent("s", "22423", at, at.date(), "view", 1, None) for at in moments]
    )


def expire(folder: Path, *, event_days: int = 3, archive_days: int = 30, later: int = 0) -> int:
    now = NOW + timedelta(days=later)
    return retention.expire(
        event_days=event_days, archive_days=archive_days, folder=folder, now=now
    )


def exported(folder: Path) -> list[str]:
    files = export.update(folder, until=days.cut(), report=lambda done, total: None)
    return [file.name[:10] for file in files]


def test_events_lie_in_the_partition_of_their_day() -> None:
    receive(0, 1)

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM events_event ORDER BY 1")
        assert cursor.fetchall() == [("events_on_20261121",), ("events_on_20261122",)]


def test_several_may_make_the_same_day_at_once() -> None:
    all_begun = Barrier(3)

    def make() -> None:
        with transaction.atomic():
            days.make([])
            all_begun.wait(timeout=30)
            days.make([TODAY])
            sleep(0.1)  # the others wait for this to end
        connection.close()

    with ThreadPoolExecutor(3) as pool:
        for made in [pool.submit(make) for _ in range(3)]:
            made.result()

    assert days.stored() == [TODAY]


def test_an_expired_day_is_dropped_with_its_key_and_training_still_has_it(tmp_path: Path) -> None:
    history(0, 5, 6)

    assert expire(tmp_path) == 2

    assert Row.objects.get().occurred_at == NOW
    assert not SessionKey.objects.filter(day__lt=TODAY - timedelta(days=3)).exists()
    assert exported(tmp_path) == ["2026-11-16", "2026-11-17", "2026-11-22"]
    assert parquet.read_table(next(tmp_path.glob("2026-11-16.*"))).num_rows == 1


def test_training_loses_its_copy_of_a_day_when_that_expires_too(tmp_path: Path) -> None:
    history(0, 5)
    expire(tmp_path)

    expire(tmp_path, event_days=90, later=26)

    assert list(tmp_path.iterdir()) == []
    assert days.closed() == {}


def test_a_day_too_old_even_for_training_leaves_no_file(tmp_path: Path) -> None:
    history(40)

    expire(tmp_path)

    assert list(tmp_path.iterdir()) == []
    assert Row.objects.count() == 0


def test_a_closed_day_takes_no_more_so_that_nothing_counts_twice(tmp_path: Path) -> None:
    history(5)
    expire(tmp_path)
    row = ("s", "22423", (NOW - timedelta(days=5)).isoformat(), "view", "1", "")

    with pytest.raises(BadValue, match="expired"):
        read_row(row, now=NOW, closed=days.closed())
    with pytest.raises(IntegrityError, match="closed"):
        history(5)


def test_a_day_that_was_added_to_since_it_was_counted_is_not_dropped(tmp_path: Path) -> None:
    history(5)
    counted = days.count(date(2026, 11, 17))
    at = NOW - timedelta(days=5, hours=1)
    importing.keep([ImportedEvent("late", "22423", at, at.date(), "view", 1, None)])

    assert days.drop(date(2026, 11, 17), kept=counted) is False

    assert Row.objects.count() == 2


def test_who_stores_for_long_keeps_a_cut_from_being_had_but_not_others_from_storing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(days, "LOCK_WAITS", "50ms")
    monkeypatch.setattr(days, "CUT_PAUSE_SECONDS", 0.0)
    receive(0)
    other = connections.create_connection("default")
    with transaction.atomic(), other.cursor() as cursor:
        other.set_autocommit(False)
        cursor.execute("LOCK TABLE ONLY events_event IN ROW EXCLUSIVE MODE")
        with pytest.raises(days.StoredMeanwhile, match="10 times"):
            days.cut()
        receive(1)
        other.rollback()
    other.close()

    assert days.cut() == days.newest()


def test_days_to_come_are_there_before_their_first_event(tmp_path: Path) -> None:
    expire(tmp_path)

    tomorrow = TODAY + timedelta(days=1)
    assert tomorrow in days.stored()
    assert SessionKey.objects.filter(day=tomorrow).exists()


def test_an_event_is_known_by_its_name_for_seven_days_whatever_it_says(tmp_path: Path) -> None:
    receive(0)
    expire(tmp_path, later=7)
    event = Event(event_id=f"{NOW}-0", event_type="click", item_id="22423")

    receipt = service.receive(
        Batch([event]), consented=False, origin=ORIGIN, now=NOW + timedelta(days=7)
    )

    assert (receipt.accepted, receipt.duplicates) == (0, 1)


def test_names_are_forgotten_after_that(tmp_path: Path) -> None:
    receive(0)

    expire(tmp_path, later=9)

    assert EventId.objects.count() == 0


def test_an_event_that_comes_back_after_its_name_was_forgotten_still_counts_once() -> None:
    receive(1)
    EventId.objects.all().delete()

    receive(1)

    assert Row.objects.count() == 1


def test_a_session_is_forgotten_on_every_living_day() -> None:
    receive(0, 1, 6)

    assert service.forget("s1", now=NOW) == 3
