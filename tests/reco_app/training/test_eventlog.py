import gzip

import duckdb
import pytest

from reco_app.training.eventlog import EventLogUnreadable, read

HEADER = "session_id,item_id,timestamp,event_type,quantity\n"


def _written(tmp_path, name: str, text: str):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


CSV = HEADER + "s,b,2026-01-01T00:01:00Z,purchase,3\ns,a,2026-01-01T00:00:00Z,,\n"
JSONL = (
    '{"session_id":"s","item_id":"b","timestamp":"2026-01-01T00:01:00Z",'
    '"event_type":"purchase","quantity":3}\n'
    '{"session_id":"s","item_id":"a","timestamp":"2026-01-01T00:00:00Z"}\n'
)


@pytest.mark.parametrize(
    ("name", "text"),
    [("log.csv", CSV), ("log.csv.gz", CSV), ("log.jsonl", JSONL), ("log.jsonl.gz", JSONL)],
)
def test_events_are_read_in_order_of_time_with_usual_values_filled_in(tmp_path, name, text):
    log = read(_written(tmp_path, name, text))

    assert [log.item_ids[item] for item in log.item] == ["a", "b"]
    assert log.event_type.tolist() == [0, 3]
    assert log.quantity.tolist() == [1.0, 3.0]
    assert log.at.tolist() == [1767225600.0, 1767225660.0]


def test_parquet_with_native_times_is_read(tmp_path):
    path = tmp_path / "log.parquet"
    duckdb.sql(
        "SELECT 7 AS session_id, 'a' AS item_id, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS timestamp"
    ).write_parquet(str(path))

    log = read(path)

    assert log.session_ids == ["7"]
    assert log.at.tolist() == [1767225600.0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("s,a b,2026-01-01T00:00:00Z,view,1", "line 3: item_id: want 1 to 64"),
        ("s,a,2026-13-01T00:00:00Z,view,1", "line 3: timestamp: want a time"),
        ("s,a,2026-01-01T00:00:00Z,gaze,1", "line 3: event_type: want one of view"),
        ("s,a,2026-01-01T00:00:00Z,view,none", "line 3: quantity: want a number above 0"),
        (",a,2026-01-01T00:00:00Z,view,1", "line 3: session_id: want a value"),
    ],
)
def test_a_bad_value_is_named_with_file_line_and_column(tmp_path, row, message):
    path = _written(tmp_path, "log.csv", HEADER + "s,a,2026-01-01T00:00:00Z,view,1\n" + row + "\n")

    with pytest.raises(EventLogUnreadable) as refused:
        read(path)

    assert str(refused.value).startswith(f"{path}: {message}")


def test_a_row_with_too_many_columns_is_named(tmp_path):
    rows = "s,a,2026-01-01T00:00:00Z,view,1\n" * 5 + "s,a,2026-01-01T00:00:00Z,view,1,9,9\n"

    with pytest.raises(EventLogUnreadable, match=r"Line: 7"):
        read(_written(tmp_path, "log.csv", HEADER + rows))


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(EventLogUnreadable, match="line 1: no column timestamp"):
        read(_written(tmp_path, "log.csv", "session_id,item_id\ns,a\n"))


def test_a_missing_file_and_an_unknown_kind_of_file_are_refused(tmp_path):
    with pytest.raises(EventLogUnreadable, match="no such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(EventLogUnreadable, match=r"want one of \.csv"):
        read(_written(tmp_path, "log.xls", "x"))
