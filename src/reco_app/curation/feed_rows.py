"""What every kind of feed is read into."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One product as the feed tells it: its first line, counted from 1, and its cells by name."""

    line: int
    cells: Mapping[str, Any]


class BadRow(NamedTuple):
    """Why a row is not taken; `item_id` is None where not even that can be read."""

    line: int
    column: str
    detail: str
    item_id: str | None


class Unreadable(Exception):
    """Nothing of the feed can be taken; the message says where and why."""
