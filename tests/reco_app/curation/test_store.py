import threading
from decimal import Decimal

import pytest
from django.db import connection, transaction

from reco_app.curation import store
from reco_app.curation.models import OutboxEntry, Product, Rule

LAMP = {"title": "Lamp", "price": Decimal("9.00"), "currency": "USD"}


def bring_in(rows):
    return store.upsert_products(rows, reason="test", user_id=None)


@pytest.mark.django_db
def test_a_new_product_comes_with_a_version_a_memory_and_an_outbox_entry():
    written = bring_in({"lamp": LAMP})

    lamp = Product.objects.get(pk="lamp")
    assert written.created == 1
    assert lamp.version == store.clock_version() == 1
    assert lamp.history.get().history_type == "+"
    assert OutboxEntry.objects.get().version == 1


@pytest.mark.django_db
def test_an_unchanged_product_is_not_written():
    bring_in({"lamp": LAMP})

    written = bring_in({"lamp": LAMP})

    assert (written.created, written.changed, written.unchanged) == (0, 0, 1)
    assert store.clock_version() == 1
    assert OutboxEntry.objects.count() == 1


def test_fields_that_are_not_given_stay(products):
    bring_in({"mug": {"price": Decimal("3.00")}})

    mug = Product.objects.get(pk="mug")
    assert (mug.title, mug.price) == ("Blue mug", Decimal("3.00"))


@pytest.mark.django_db
def test_a_new_product_without_price_is_left_out_and_named():
    written = bring_in({"lamp": LAMP, "vase": {"title": "Vase"}})

    assert written.incomplete == {"vase": ["price"]}
    assert list(Product.objects.values_list("pk", flat=True)) == ["lamp"]


@pytest.mark.django_db
def test_a_write_that_fails_leaves_neither_change_nor_outbox_entry():
    with transaction.atomic():
        bring_in({"lamp": LAMP})
        transaction.set_rollback(True)

    assert (Product.objects.count(), OutboxEntry.objects.count()) == (0, 0)
    assert store.clock_version() == 0


def test_no_two_products_share_a_version_and_changes_are_told_in_order(products):
    store.change_products(
        ["mug", "pan"], change=lambda row: row.update(visible=False), reason="test", user_id=None
    )

    changed = store.products_changed(after=3, limit=10)
    assert [(product.pk, product.version) for product in changed] == [("mug", 4), ("pan", 5)]
    assert [product.pk for product in store.products_changed(after=0, limit=1)] == ["pot"]


def test_a_form_saves_only_what_it_changed(products):
    stale = Product.objects.get(pk="mug")
    bring_in({"mug": {"price": Decimal("7.00")}})

    stale.title = "Red mug"
    store.save_product(stale, changed=["title"], user_id=None)

    mug = Product.objects.get(pk="mug")
    assert (mug.title, mug.price) == ("Red mug", Decimal("7.00"))
    assert OutboxEntry.objects.filter(product="mug", version=mug.version, urgent=True).exists()


def test_a_retired_product_comes_back_with_the_next_feed(products):
    store.retire_products(["mug"], reason="test", user_id=None)
    assert not Product.objects.get(pk="mug").offered

    bring_in({"mug": {"title": "Blue mug"}})

    assert Product.objects.get(pk="mug").offered


def test_a_rule_moves_the_clock_when_saved_and_when_deleted(products):
    rule = Rule(kind="hide", target_product_id="mug")

    store.save_curation(rule, user_id=None)
    assert store.clock_version() == 4
    store.delete_curation(rule, user_id=None)

    assert store.clock_version() == 5
    assert store.all_rules() == []


@pytest.mark.django_db(transaction=True)
def test_writers_take_turns_so_that_a_reader_never_misses_a_version():
    seen, reading = [], threading.Event()

    def write(name):
        for number in range(15):
            bring_in({f"{name}{number}": LAMP})
        connection.close()

    def read():
        after = 0
        while len(seen) < 45 and not reading.is_set():
            for product in store.products_changed(after=after, limit=7):
                seen.append(product.version)
                after = product.version
        connection.close()

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in [reader, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    reader.join(timeout=20)
    reading.set()

    assert seen == list(range(1, 46))
