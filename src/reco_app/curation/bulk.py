"""Many products in one statement: the rows, their history and their outbox entries."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from django.db import connection

from reco_app.curation.models import OutboxEntry, Product

COLUMNS = [field.attname for field in Product._meta.concrete_fields]
URGENT_AT_MOST = 100  # what a person changes; a feed's batch may be as small, and does no harm
LONGEST_REASON = 100  # the history's column
_NAMES = ", ".join(COLUMNS)
_ASSIGNMENTS = ", ".join(f"{name} = EXCLUDED.{name}" for name in COLUMNS if name != "item_id")
_PRODUCTS = Product._meta.db_table
_HISTORY = Product.history.model._meta.db_table
_OUTBOX = OutboxEntry._meta.db_table

# One statement and one round trip; a JSON parameter carries arrays and maps without COPY's
# escapes, and 1,000 rows take about as long.
_WRITE = f"""
WITH incoming AS (
    SELECT {_NAMES} FROM json_populate_recordset(NULL::{_PRODUCTS}, %(rows)s::json)
), written AS (
    INSERT INTO {_PRODUCTS} ({_NAMES}) SELECT {_NAMES} FROM incoming
    ON CONFLICT (item_id) DO UPDATE SET {_ASSIGNMENTS}
), remembered AS (
    INSERT INTO {_HISTORY} ({_NAMES}, history_date, history_type, history_change_reason,
                            history_user_id)
    SELECT {_NAMES}, updated_at,
           CASE WHEN item_id = ANY(%(created)s) THEN '+' ELSE '~' END, %(reason)s, %(user_id)s
    FROM incoming
)
INSERT INTO {_OUTBOX} (product_id, version, created_at, urgent, refused)
SELECT item_id, version, updated_at, %(urgent)s, '' FROM incoming
"""

_QUEUE_EVERYTHING = f"""
INSERT INTO {_OUTBOX} (product_id, version, created_at, urgent, refused)
SELECT item_id, version, %(now)s, false, '' FROM {_PRODUCTS}
ON CONFLICT (version) DO UPDATE SET refused = ''
"""


def write(
    rows: Sequence[Mapping[str, Any]],
    *,
    created: Collection[str],
    reason: str,
    user_id: int | None,
) -> None:
    """Store whole rows, of distinct products and with their versions, inside a transaction."""
    parameters = {
        "rows": orjson.dumps(rows, default=_text).decode(),
        "created": list(created),
        "reason": reason[:LONGEST_REASON],
        "user_id": user_id,
        "urgent": len(rows) <= URGENT_AT_MOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, parameters)


def queue_everything(*, now: datetime) -> int:
    """An outbox entry for each product's present state, refused ones too; how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE_EVERYTHING, {"now": now})
        return int(cursor.rowcount)


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a product")
