import gzip
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from django.core.management import CommandError, call_command

from reco_app.events import feeds, importing
from reco_app.events.contracts import BadRow
from reco_app.events.models import Event

pytestmark = pytest.mark.usefixtures("transactional_db")
LOG = """\
session_id,item_id,timestamp,event_type,quantity,price
1,85123A,2010-12-01T08:26:00Z,purchase,6,2.55
1,71053,2010-12-01T08:26:00Z,purchase,6,3.39
2,71053,2010-12-02T09:00:00Z,,,
"""
FAULTY = """\
session_id,item_id,timestamp,event_type,quantity,price
1,85123A,2010-12-01T08:26:00Z,purchase,6,2.55
1,no spaces,2010-12-01T08:26:00Z,purchase,6,2.55
1,85123A,yesterday,purchase,6,2.55
1,85123A,2010-12-01T08:26:00Z,stare,6,2.55
1,85123A,2010-12-01T08:26:00Z,purchase,-6,2.55
1,85123A,2010-12-01T08:26:00Z,purchase,6,cheap
1,85123A
1,85123A,2999-12-01T08:26:00Z,purchase,6,2.55
,85123A,2010-12-01T08:26:00Z,purchase,6,2.55
2,85123A,2010-12-01T08:26:00Z,purchase,6,2.55
"""


def imported(content: bytes, form: str = "csv") -> importing.ImportSummary:
    rows = feeds.rows(io.BytesIO(content), form=form)
    return importing.import_rows(rows, now=datetime.now(UTC), keep=importing.keep)


def test_a_file_that_comes_twice_adds_nothing_the_second_time() -> None:
    first, second = imported(LOG.encode()), imported(LOG.encode())

    assert (first.accepted, first.duplicates) == (3, 0)
    assert (second.accepted, second.duplicates) == (0, 3)
    assert Event.objects.count() == 3


def test_each_bad_row_is_named_by_line_and_column_and_the_rest_goes_in() -> None:
    summary = imported(FAULTY.encode())

    assert [(bad.line, bad.column) for bad in summary.bad_rows] == [
        (3, "item_id"),
        (4, "timestamp"),
        (5, "event_type"),
        (6, "quantity"),
        (7, "price"),
        (8, None),
        (9, "timestamp"),
        (10, "session_id"),
    ]
    assert (summary.rows, summary.accepted, summary.rejected) == (10, 2, 8)


def test_columns_may_come_in_any_order_and_optional_ones_may_lack() -> None:
    imported(b"timestamp,item_id,session_id\n2010-12-01 08:26:00,71053,9\n")

    event = Event.objects.get()
    assert (event.event_type, event.quantity, event.price) == ("view", 1, None)
    assert event.occurred_at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


def test_all_forms_of_one_log_are_the_same_events() -> None:
    table = pa.table(
        {
            "session_id": [1, 1, 2],
            "item_id": ["85123A", "71053", "71053"],
            "timestamp": pa.array(
                [1291191960_000000000, 1291191960_000000000, 1291280400_000000000],
                pa.timestamp("ns"),
            ),
            "event_type": ["purchase", "purchase", None],
            "quantity": [6.0, 6.0, None],
            "price": [2.55, 3.39, None],
        }
    )
    parquet.write_table(table, sink := io.BytesIO())
    names = LOG.splitlines()[0].split(",")
    lines = [
        json.dumps(
            {name: value for name, value in zip(names, line.split(","), strict=True) if value}
        )
        for line in LOG.splitlines()[1:]
    ]

    imported(LOG.encode())

    assert imported(gzip.compress(LOG.encode()), "csv.gz").duplicates == 3
    assert imported("\n".join(lines).encode(), "jsonl").duplicates == 3
    assert imported(sink.getvalue(), "parquet").duplicates == 3


def test_a_session_of_the_file_is_one_session_and_its_id_is_not_stored() -> None:
    imported(LOG.encode())

    hashes = Event.objects.order_by("occurred_at").values_list("session_hash", flat=True)
    assert hashes[0] == hashes[1] != hashes[2]
    assert not {1, 2} & set(hashes)


def test_bad_json_lines_are_named_and_the_rest_goes_in() -> None:
    good = b'{"session_id": "1", "item_id": "71053", "timestamp": 1291191960}'
    lines = [good, b"{", b'{"sesion_id": 1}', b"[]", b" " * 70_000, good.replace(b'"1"', b'"2"')]

    summary = imported(b"\n".join(lines), "jsonl")

    assert [bad.line for bad in summary.bad_rows] == [2, 3, 4, 5]
    assert summary.accepted == 2


@pytest.mark.parametrize(
    ("content", "form", "words"),
    [
        (b"", "csv", "missing: session_id, item_id, timestamp"),
        (b"session_id,item_id,timestamp,colour\n", "csv", "Unknown columns: colour"),
        (b"no gzip", "csv.gz", "cannot be read"),
        (gzip.compress(LOG.encode())[:60], "csv.gz", "cannot be read"),
        (b"no parquet", "parquet", "cannot be read"),
    ],
)
def test_a_file_that_is_no_log_is_unreadable(content: bytes, form: str, words: str) -> None:
    with pytest.raises(feeds.Unreadable, match=words):
        imported(content, form)


def test_a_quantity_behind_zeros_is_bounded_too() -> None:
    row = f"1,85123A,2010-12-01T08:26:00Z,view,0000000{'9' * 20},\n"

    (bad,) = imported((LOG.splitlines(keepends=True)[0] + row).encode()).bad_rows

    assert bad.column == "quantity"


def test_an_endless_line_is_never_read_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "LONGEST_LINE", 100)
    lines = LOG.splitlines(keepends=True)
    log = "".join([*lines[:2], "x" * 1000 + "\n", *lines[2:]]).encode()

    _, endless, *_ = feeds.rows(io.BytesIO(gzip.compress(log)), form="csv.gz")
    summary = imported(gzip.compress(log), "csv.gz")

    assert endless == feeds.Row(3, None, "The line has 1 columns, the header 6.")
    assert (summary.accepted, summary.rejected) == (3, 1)


def test_the_command_prints_a_summary_and_exits_1_for_bad_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log.csv").write_text(FAULTY)

    with pytest.raises(SystemExit) as exit_:
        call_command("import_events", str(tmp_path / "log.csv"), "--json")

    summary = json.loads(capsys.readouterr().out)
    assert exit_.value.code == 1
    assert (summary["accepted"], summary["rejected"]) == (2, 8)
    assert BadRow(**summary["bad_rows"][0]).line == 3


def test_a_dry_run_stores_nothing(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)

    call_command("import_events", str(tmp_path / "log.csv"), "--dry-run")

    assert Event.objects.count() == 0


@pytest.mark.parametrize("name", ["log.txt", "absent.csv", "no.parquet"])
def test_the_command_exits_2_for_a_file_it_cannot_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "no.parquet").write_bytes(b"nonsense")

    with pytest.raises(CommandError) as error:
        call_command("import_events", str(tmp_path / name))

    assert error.value.returncode == 2
