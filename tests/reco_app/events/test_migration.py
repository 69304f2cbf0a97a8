"""Events that were stored before there were days."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.utils import CursorWrapper

STORED_BEFORE = """
    INSERT INTO events_event
        (event_id, session_hash, item_id, event_type, quantity, occurred_at, position)
    VALUES ('00000000-0000-0000-0000-000000000001', -7, 'a', 'view', 1, '2017-01-01 23:59Z', null),
           ('00000000-0000-0000-0000-000000000002', null, 'b', 'click', 2, now(), 3)
"""


@pytest.fixture
def cursor(transactional_db: None) -> Iterator[CursorWrapper]:
    """In a schema of its own, as the first migration leaves it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA before; SET search_path = before")
        cursor.execute(statements("0001"))
        yield cursor
        cursor.execute("RESET search_path; DROP SCHEMA before CASCADE")


def statements(migration: str) -> str:
    call_command("sqlmigrate", "events", migration, stdout=(told := StringIO()))
    return told.getvalue()


def test_events_stored_before_are_moved_to_their_days(cursor: CursorWrapper) -> None:
    cursor.execute(STORED_BEFORE)

    cursor.execute(statements("0002"))

    cursor.execute("SELECT item_id, session_hash, quantity, position FROM events_event ORDER BY id")
    assert cursor.fetchall() == [("a", -7, 1, None), ("b", None, 2, 3)]
    cursor.execute("SELECT tableoid::regclass::text FROM events_event ORDER BY id")
    assert cursor.fetchone() == ("events_on_20170101",)
    cursor.execute("SELECT event_id::text FROM events_eventid")
    assert cursor.fetchall() == [("00000000-0000-0000-0000-000000000002",)]
