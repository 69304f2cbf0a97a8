import threading
from decimal import Decimal

import pytest
from django.db import InternalError, connection

from reco_app.curation import clients, outbox, relay, store
from reco_app.curation.models import OutboxEntry, Product
from runtime import rest


def hide(*item_ids):
    store.change_products(
        item_ids, change=lambda row: row.update(visible=False), reason="test", user_id=None
    )


def test_a_sweep_delivers_what_changed_and_empties_the_outbox(products, catalogue):
    assert relay.sweep() == 3
    assert relay.sweep() == 0

    assert {card["id"]: card["price"] for card in catalogue.cards} == {
        "mug": "2.50",
        "pan": "2.50",
        "pot": "2.50",
    }


def test_a_product_that_changed_twice_travels_once_in_its_newest_state(products, catalogue):
    hide("mug")

    assert relay.sweep() == 4

    tombstones = [card for card in catalogue.cards if card["id"] == "mug"]
    assert tombstones == [{"id": "mug", "version": 4, "deleted": True}]


def test_nothing_is_lost_while_the_catalogue_is_away(products, catalogue):
    catalogue.trouble = rest.Unavailable("catalog", "it is away")
    with pytest.raises(rest.Unavailable):
        relay.sweep()
    assert OutboxEntry.objects.count() == 3

    catalogue.trouble = None

    assert relay.sweep() == 3


def test_a_refused_product_stays_behind_and_does_not_hold_up_the_others(
    products, catalogue, monkeypatch
):
    def picky(cards):
        if any(card["id"] == "pan" for card in cards):
            raise clients.Refused("no pans")
        catalogue.put(cards)

    monkeypatch.setattr(clients, "put_products", picky)

    relay.sweep()

    assert {card["id"] for card in catalogue.cards} == {"mug", "pot"}
    assert OutboxEntry.objects.get().refused == "no pans"
    assert relay.sweep() == 0


def test_a_person_s_change_overtakes_a_feed(products, catalogue, monkeypatch):
    OutboxEntry.objects.update(urgent=False)
    monkeypatch.setattr(relay, "BATCH", 1)
    pot = Product.objects.get(pk="pot")
    pot.price = Decimal("1.00")
    store.save_product(pot, changed=["price"], user_id=None)

    relay.sweep()

    assert catalogue.cards[0]["price"] == "1.00"


@pytest.mark.django_db(transaction=True)
def test_two_relays_never_hold_the_same_entries(monkeypatch):
    lamp = {"title": "Lamp", "price": Decimal(1), "currency": "USD"}
    store.upsert_products({f"lamp{n}": lamp for n in range(40)}, reason="test", user_id=None)
    monkeypatch.setattr(relay, "BATCH", 20)
    sent, both = [], threading.Barrier(2, timeout=10)

    def put(cards):
        both.wait()
        sent.extend(card["id"] for card in cards)

    def sweep():
        relay.sweep()
        connection.close()

    monkeypatch.setattr(clients, "put_products", put)
    relays = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in relays:
        thread.start()
    for thread in relays:
        thread.join()

    assert len(sent) == len(set(sent)) == 40
    assert OutboxEntry.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "trouble",
    [
        rest.Unavailable("catalog", "it is away"),
        clients.Conflict("another writes"),
        InternalError("cannot execute DELETE in a read-only transaction"),
    ],
    ids=["away", "conflict", "standby"],
)
def test_a_relay_goes_on_by_itself_when_what_it_needs_is_back(catalogue, trouble, caplog):
    lamp = {"title": "Lamp", "price": Decimal(1), "currency": "USD"}
    store.upsert_products({"lamp": lamp}, reason="test", user_id=None)
    catalogue.trouble = trouble
    stop = threading.Event()
    follower = threading.Thread(target=lambda: (relay.run(stop), connection.close()))
    follower.start()
    for _ in range(100):
        if "relay waits" in caplog.text:
            break
        stop.wait(0.05)
    assert str(trouble) in caplog.text
    catalogue.trouble = None

    for _ in range(100):
        if catalogue.cards:
            break
        stop.wait(0.1)
    stop.set()
    follower.join(timeout=5)

    assert [card["id"] for card in catalogue.cards] == ["lamp"]
    assert not follower.is_alive()


def test_the_backlog_tells_how_long_the_oldest_has_waited(products):
    oldest = OutboxEntry.objects.order_by("created_at")[0].created_at
    state = outbox.backlog(now=oldest.replace(year=oldest.year + 1))

    assert state.waiting == 3
    assert state.lag.days >= 365
