import io
import json

import pytest

from reco_app.curation import store
from reco_app.curation.importing import FeedImport
from reco_app.curation.models import OutboxEntry, Product

GOOD = "id,title,price\nmug,Blue mug,2.50\npan,Iron pan,9.00\n"


def run(text, form="csv"):
    return FeedImport(io.BytesIO(text.encode()), form)


def stored(text, form="csv"):
    feed = run(text, form)
    feed.store()
    return feed.summary


@pytest.mark.django_db
def test_a_feed_brings_products_into_record_and_outbox():
    summary = stored(GOOD)

    assert (summary.rows, summary.created, summary.flawless) == (2, 2, True)
    assert Product.objects.get(pk="pan").currency == "USD"
    assert OutboxEntry.objects.count() == 2


@pytest.mark.django_db
def test_the_same_feed_twice_writes_nothing_the_second_time():
    stored(GOOD)
    version = store.clock_version()

    summary = stored(GOOD)

    assert (summary.unchanged, store.clock_version()) == (2, version)


@pytest.mark.django_db
def test_bad_rows_in_the_middle_are_named_and_the_rest_comes_in():
    summary = stored(GOOD + "bad id,Cup,1.00\ncup,Cup,cheap\nvase,Vase,5.00\n")

    assert (summary.created, summary.rejected) == (3, 2)
    assert [(error["line"], error["column"]) for error in summary.errors] == [
        (4, "id"),
        (5, "price"),
    ]


@pytest.mark.django_db
def test_a_new_product_without_a_price_is_named_by_its_line():
    summary = stored("id,title,price\nmug,Mug,\n")

    assert (summary.created, summary.rejected) == (0, 1)
    assert summary.errors[0] | {"detail": ""} == {
        "line": 2,
        "column": "price",
        "detail": "",
        "item_id": "mug",
    }


@pytest.mark.django_db
def test_of_a_repeated_id_the_first_good_row_counts():
    summary = stored("id,title,price\nmug,Mug,x\nmug,First,1\nmug,Second,2\n")

    assert Product.objects.get().title == "First"
    assert (summary.created, summary.rejected) == (1, 2)


@pytest.mark.django_db
def test_many_batches_go_in_one_after_the_other(monkeypatch):
    monkeypatch.setattr(store, "CHUNK", 3)
    lines = [json.dumps({"id": f"p{n}", "title": "Cup", "price": 1}) for n in range(10)]

    assert stored("\n".join(lines), "jsonl").created == 10


@pytest.mark.django_db
def test_a_check_writes_nothing_and_tells_the_same():
    feed = run(GOOD)
    feed.check()

    assert (feed.summary.created, feed.summary.dry_run) == (2, True)
    assert Product.objects.count() == 0


def test_a_full_feed_retires_what_it_lacks(products):
    feed = run("id,title,price\nmug,Blue mug,2.50\npan,Iron pan,2.50\n")
    feed.store()
    feed.retire_missing()

    assert feed.summary.retired == 1
    assert Product.objects.get(pk="pot").retired_at is not None


def test_a_rejected_row_does_not_retire_its_product(products):
    feed = run("id,title,price\nmug,Mug,x\npan,Pan,x\npot,Pot,x\n")
    feed.store()
    feed.retire_missing()

    assert Product.objects.filter(retired_at=None).count() == 3


@pytest.mark.parametrize(
    ("feed_text", "form", "why"),
    [
        ("id,title,price\nmug,Blue mug,2.50\n", "csv", "lacks 2 of 3"),
        ('{"id": "mug"}\n{"id": "pan"}\nbroken\n', "jsonl", "could not be read"),
        ("<rss><item><id>mug</id></item><item><id>pan</id></item><", "xml", "not read to its end"),
    ],
)
def test_nothing_is_retired_when_the_feed_may_not_be_the_whole(products, feed_text, form, why):
    feed = run(feed_text, form)
    feed.store()
    feed.retire_missing()

    assert why in feed.summary.kept
    assert Product.objects.filter(retired_at=None).count() == 3


def test_force_retires_more_than_half(products):
    feed = run("id,title,price\nmug,Blue mug,2.50\n")
    feed.store()
    feed.retire_missing(at_most=1)

    assert feed.summary.retired == 2
