from decimal import Decimal

import pytest

from reco_app.curation import fields


def parse(row, *, google=False):
    return fields.parse({"id": "mug"} | row, google=google, currency="EUR")


def problem(row, *, google=False):
    (found,) = parse(row, google=google).problems
    return found


def test_google_s_names_and_words_are_understood():
    parsed = parse(
        {
            "price": "12.50 EUR",
            "availability": "in stock",
            "product_type": "Home>Kitchen",
            "link": "https://shop.example/mug",
            "color": "blue",
        },
        google=True,
    )

    assert parsed.problems == []
    assert parsed.fields == {
        "price": Decimal("12.50"),
        "availability": "in_stock",
        "categories": ["Home > Kitchen"],
        "url": "https://shop.example/mug",
        "attributes": {"color": "blue"},
        "currency": "EUR",
    }


def test_an_empty_cell_clears_what_a_product_need_not_have():
    parsed = parse({"sale_price": "", "brand": "", "price": "", "availability": ""})

    assert parsed.fields == {"sale_price": None, "brand": "", "currency": "EUR"}


@pytest.mark.parametrize(
    ("column", "value", "part"),
    [
        ("price", "1,50", "not a price"),
        ("price", "-1", "below zero"),
        ("price", "1.505", "more than two decimals"),
        ("price", "1.50 USD", "sells in EUR"),
        ("price", "9" * 15, "too large"),
        ("price", [1], "not text"),
        ("availability", "maybe", "none of"),
        ("url", "javascript:alert(1)", "not an address"),
        ("title", "x" * 301, "at most 300"),
        ("title", "a\x00b", "zero byte"),
        ("title", "caf\udce9", "not UTF-8"),
        ("categories", "Home > > Cup", "lacks a name"),
        ("visible", "perhaps", "neither true nor false"),
        ("attributes", {"a": {"b": 1}}, "neither text"),
        ("attributes", "{", "not a map"),
        ("published_at", "yesterday", "not a time"),
        ("id", "no spaces", "not 1 to 64"),
        ("prise", "1.50", "unknown"),
    ],
)
def test_what_is_wrong_is_told_by_column(column, value, part):
    found = problem({column: value})

    assert found.column == column
    assert part in found.detail


def test_a_row_without_an_id_says_so():
    assert fields.parse({"title": "Mug"}, google=False, currency="EUR").problems[0].column == "id"


def test_attributes_come_from_their_own_columns():
    assert parse({"attributes.colour": "red"}).fields["attributes"] == {"colour": "red"}


@pytest.mark.parametrize(
    "attributes", [{"a\x00": "b"}, {"a": "b\x00"}, {"a": float("nan")}, {"a": 2**64}]
)
def test_attributes_that_cannot_be_stored_or_sent_are_refused(attributes):
    assert problem({"attributes": attributes}).column == "attributes"
