from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from reco_app.events import days, export, service
from reco_app.events.contracts import Batch, Event
from reco_app.events.senders import Origin

pytestmark = pytest.mark.usefixtures("shop")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORIGIN = Origin("network 192.0.2.1", keyed=False)


def receive(*events: Event) -> None:
    service.receive(Batch(list(events)), consented=True, origin=ORIGIN, now=NOW)


def event(event_id: str, *, days_ago: int = 0, session_id: str = "s1") -> Event:
    return Event(
        event_id=event_id,
        event_type="view",
        item_id="22423",
        session_id=session_id,
        timestamp=NOW - timedelta(days=days_ago),
    )


def exported(folder: Path) -> list[Path]:
    return export.update(folder, until=days.cut(), report=lambda done, total: None)


def test_each_day_has_a_file_with_its_events(tmp_path: Path) -> None:
    receive(event("a"), event("b", days_ago=1), event("c", days_ago=1))

    files = exported(tmp_path)

    assert [file.name[:10] for file in files] == ["2026-11-21", "2026-11-22"]
    assert [parquet.read_table(file).num_rows for file in files] == [2, 1]
    moment = parquet.read_table(files[1])["occurred_at_us"][0].as_py()
    assert datetime.fromtimestamp(moment / 1e6, UTC) == NOW


def test_only_days_that_changed_are_written_again(tmp_path: Path) -> None:
    receive(event("a"), event("b", days_ago=1))
    before = {file.name: file.stat().st_ino for file in exported(tmp_path)}

    receive(event("late", days_ago=1))
    after = {file.name: file.stat().st_ino for file in exported(tmp_path)}

    assert {name[:10] for name in before.keys() & after.keys()} == {"2026-11-22"}
    assert len(list(tmp_path.iterdir())) == 2


def test_a_forgotten_session_leaves_the_files(tmp_path: Path) -> None:
    receive(event("a"), event("b", session_id="s2"))
    exported(tmp_path)

    service.forget("s2", now=NOW)
    files = exported(tmp_path)

    assert [parquet.read_table(file).num_rows for file in files] == [1]
    assert list(tmp_path.iterdir()) == files
