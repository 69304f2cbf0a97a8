from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from reco_app.events import days, erasure, export, service
from reco_app.events.contracts import Batch, Event
from reco_app.events.senders import Origin

pytestmark = pytest.mark.usefixtures("shop")
ORIGIN = Origin("network 192.0.2.1", keyed=False)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two days of training's files, with two sessions on the first and one on the second."""
    now = datetime.now(UTC)
    seen = [("a", "s1", 2), ("b", "s2", 2), ("c", "s2", 1)]
    events = [
        Event(
            event_id=name,
            event_type="view",
            item_id="22423",
            session_id=session,
            timestamp=now - timedelta(days=ago),
        )
        for name, session, ago in seen
    ]
    service.receive(Batch(events), consented=True, origin=ORIGIN, now=now)
    return export.update(tmp_path, until=days.cut(), report=lambda done, total: None)


def rows(files: list[Path]) -> list[int]:
    return [parquet.read_table(file).num_rows for file in files]


def test_a_forgotten_session_leaves_the_files_under_the_feet_of_who_reads_them(
    files: list[Path],
) -> None:
    now = datetime.now(UTC)
    service.forget("s1", now=now)

    assert erasure.cleanse(files[0].parent, now=now) == 1

    assert rows(files) == [1, 1]
    assert sorted(files[0].parent.iterdir()) == files


def test_a_day_of_which_nothing_is_left_is_an_empty_file(files: list[Path]) -> None:
    now = datetime.now(UTC)
    service.forget("s2", now=now)

    assert erasure.cleanse(files[0].parent, now=now) == 2

    assert rows(files) == [1, 0]


def test_the_next_training_names_the_files_anew(files: list[Path]) -> None:
    now = datetime.now(UTC)
    service.forget("s2", now=now)
    erasure.cleanse(files[0].parent, now=now)

    after = export.update(files[0].parent, until=days.cut(), report=lambda done, total: None)

    assert rows(after) == [1]
    assert sorted(files[0].parent.iterdir()) == after


def test_files_are_looked_at_only_after_somebody_asked(files: list[Path]) -> None:
    now = datetime.now(UTC)
    before = [file.stat().st_ino for file in files]
    assert erasure.cleanse(files[0].parent, now=now) == 0

    service.forget("unheard-of", now=now)

    assert erasure.cleanse(files[0].parent, now=now) == 0
    assert [file.stat().st_ino for file in files] == before
