import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from runtime.local import groceries

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> groceries.Groceries:
    return groceries.write(tmp_path_factory.mktemp("groceries") / "feed", now=NOW)


def test_every_product_of_the_source_is_in_the_feed_once(made: groceries.Groceries) -> None:
    ids = [json.loads(line)["id"] for line in made.products.read_text().splitlines()]
    assert len(ids) == len(set(ids)) == 92_331


def test_the_last_purchase_was_an_hour_ago(made: groceries.Groceries) -> None:
    times = duckdb.execute("SELECT max(epoch(timestamp)) FROM read_parquet($1)", [str(made.events)])
    row = times.fetchone()
    assert row is not None
    assert row[0] == (NOW - timedelta(hours=1)).timestamp()


def test_every_product_has_a_price_and_a_category(made: groceries.Groceries) -> None:
    for line in made.products.read_text().splitlines():
        product = json.loads(line)
        assert float(product["price"]) > 0
        assert product["categories"][0]


def test_what_a_till_books_beside_the_goods_is_not_in_stock(made: groceries.Groceries) -> None:
    products = map(json.loads, made.products.read_text().splitlines())
    fuel = [product for product in products if product["categories"][0].startswith("Fuel")]
    assert {product["availability"] for product in fuel} == {"out_of_stock"}


def test_a_second_start_loads_the_same_files(tmp_path: Path) -> None:
    first = groceries.kept_or_written(tmp_path / "feed", now=NOW)
    written_at = first.events.stat().st_mtime_ns
    again = groceries.kept_or_written(tmp_path / "feed", now=NOW + timedelta(days=1))
    assert again == first
    assert again.events.stat().st_mtime_ns == written_at
