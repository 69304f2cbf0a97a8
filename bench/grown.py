"""Public logs grown to any size, by drawing their sessions again and again.

A drawn session keeps its products and its pauses, and moves back by up to an hour. What is grown
has no more products than the public log, and its pairs repeat: the counts grow, the graph does not.
"""

from pathlib import Path

import duckdb

_EVENTS = """
COPY (
    WITH lines AS (
        SELECT session_id::VARCHAR AS session_id, item_id::VARCHAR AS item_id,
               epoch_us("timestamp"::TIMESTAMP) AS at_us, {event_type} AS event_type
        FROM '{log}'
    ), sessions AS (
        SELECT session_id, row_number() OVER (ORDER BY session_id) - 1 AS place
        FROM lines GROUP BY session_id
    ), size AS (
        SELECT count(DISTINCT session_id) AS sessions, count(*) AS events FROM lines
    ), drawn AS (
        SELECT range AS copy, hash(range) % (SELECT sessions FROM size) AS place
        FROM range((SELECT $events * sessions // events FROM size))
    )
    SELECT (hash(copy, 'session') >> 1)::BIGINT AS session_hash, item_id, event_type,
           1 AS quantity, at_us - (hash(copy, 'moved') % 3600)::BIGINT * 1000000 AS occurred_at_us
    FROM drawn JOIN sessions USING (place) JOIN lines USING (session_id)
) TO '{target}' (FORMAT PARQUET)
"""


def write(log: Path, target: Path, *, events: int) -> None:
    """About so many events, drawn from a CSV or Parquet log, in the form of the export."""
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        columns = connection.sql(f"FROM '{log}' LIMIT 0").columns
        event_type = "event_type" if "event_type" in columns else "'click'"
        text = _EVENTS.format(log=log, target=target, event_type=event_type)
        connection.execute(text, {"events": events})
