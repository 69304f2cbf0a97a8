import io

import pytest

from reco_app.curation import feeds
from reco_app.curation.feed_rows import BadRow, Row, Unreadable

RSS = b"""<?xml version="1.0"?>
<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel><title>Shop</title>
<item><g:id>mug</g:id><title>Mug &amp; co</title><link>https://shop.example/mug</link>
<g:product_type>Home</g:product_type><g:product_type>Gifts</g:product_type>
<g:shipping><g:country>DE</g:country></g:shipping></item>
</channel></rss>"""


def rows(text, form):
    return list(feeds.read(io.BytesIO(text), form).rows)


def test_json_lines_name_the_line_and_the_character_of_what_is_not_json():
    first, second, third = rows(b'{"id": "a"}\n{"id": }\n[1]\n', "jsonl")

    assert first == Row(1, {"id": "a"})
    assert (second.line, second.column) == (2, "character 8")
    assert third.detail == "not an object in braces"


def test_a_table_goes_on_after_a_row_with_too_many_cells():
    first, second = rows(b"id,title\na,Mug,more\nb,Pan\n", "csv")

    assert isinstance(first, BadRow)
    assert (first.line, first.column) == (2, "cell 3")
    assert second == Row(3, {"id": "b", "title": "Pan"})


def test_a_row_that_swallowed_others_asks_for_the_quote_left_open():
    (swallowed,) = rows(b'id,title,price\na,"Blue mug\nb,Pan,2\nc,Pot,3\n', "csv")

    assert swallowed.line == 2
    assert swallowed.detail.endswith("it runs on to line 4: is a quote left open?")


def test_a_quoted_line_break_does_not_shift_the_line_numbers():
    first, second = rows(b'id,title\na,"Blue\nmug"\nb,Pan\n', "csv")

    assert (first.line, second.line) == (2, 4)


def test_a_byte_order_mark_is_no_part_of_the_first_column():
    assert rows(b"\xef\xbb\xbfid\ttitle\na\tMug\n", "tsv") == [Row(2, {"id": "a", "title": "Mug"})]


def test_a_table_without_an_id_column_is_unreadable():
    with pytest.raises(Unreadable, match="no column “id”"):
        rows(b"sku,title\na,Mug\n", "csv")


def test_a_table_whose_first_line_is_no_csv_is_unreadable():
    with pytest.raises(Unreadable, match="line 1"):
        rows(b"\rid,title\n", "csv")


def test_a_table_whose_header_is_not_utf_8_is_unreadable():
    with pytest.raises(Unreadable, match="not UTF-8"):
        rows("id,größe\na,2\n".encode("latin-1"), "csv")


def test_an_rss_feed_gives_its_items_by_the_line_they_start_on():
    (row,) = rows(RSS, "xml")

    assert row.line == 3
    assert (row.cells["id"], row.cells["title"]) == ("mug", "Mug & co")
    assert row.cells["product_type"] == ["Home", "Gifts"]
    assert "country" not in row.cells


def test_xml_with_a_document_type_is_refused():
    bomb = b'<!DOCTYPE a [<!ENTITY b "ha">]><rss><item><id>&b;</id></item></rss>'

    with pytest.raises(Unreadable, match="document type"):
        rows(bomb, "xml")


def test_broken_xml_gives_the_items_before_the_break():
    feed = feeds.read(io.BytesIO(RSS.replace(b"</channel>", b"<item></chan>")), "xml")

    assert next(feed.rows).cells["id"] == "mug"
    with pytest.raises(Unreadable, match="line 6"):
        next(feed.rows)


@pytest.mark.parametrize(
    ("start", "form"),
    [(b'\n {"id"', "jsonl"), (b"<?xml", "xml"), (b"id\ttitle\n", "tsv"), (b"id,title\n", "csv")],
)
def test_a_format_is_recognised_by_its_first_bytes(start, form):
    assert feeds.recognise(start) == form
