"""The catalogue made anew while it is read: its own process, and the command beside it."""

import threading
from contextlib import contextmanager
from decimal import Decimal

import httpx2
import pytest
from django.core.management import call_command
from pymongo import MongoClient

from reco_app.curation import clients, relay, store
from runtime import rest
from runtime.local.processes import Processes, address_of, wait_until_ready
from runtime.local.servers import free_port

PRODUCTS = 1200  # more than two batches of the relay
READERS = 3


@pytest.fixture
def catalog(mongodb_url, tmp_path, monkeypatch):
    """The address of the component's own process, to which curation writes."""
    port = free_port()
    with Processes({"MULTIRECO_MONGODB_URL": mongodb_url}, tmp_path) as processes:
        processes.start("catalog", port=port)
        wait_until_ready(processes)
        neighbour = rest.connect("catalog", address_of(port))
        monkeypatch.setattr(clients, "_catalog", lambda: neighbour)
        yield address_of(port)


@pytest.fixture
def collection(mongodb_url):
    """The catalogue's own collection, behind its back."""
    with MongoClient(mongodb_url) as client:
        yield client.get_default_database()["products"]


@pytest.fixture
def lamps(db, catalog):
    lamp = {"title": "Lamp", "price": Decimal(1), "currency": "USD"}
    store.upsert_products({f"lamp{n}": lamp for n in range(PRODUCTS)}, reason="t", user_id=None)
    while relay.sweep():
        pass


@contextmanager
def read_all_the_time(address):
    """Products and lists asked for without a pause; yields what was not answered with 200, and
    a list as long as there were answers."""
    failed, answered, stop = [], [], threading.Event()

    def read():
        with httpx2.Client(base_url=address, timeout=20) as client:
            while not stop.is_set():
                for path in ("/v1/products/lamp7", "/v1/products?q=lamp", "/v1/categories"):
                    status = client.get(path).status_code
                    (answered if status == 200 else failed).append(status)

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        yield failed, answered
    finally:
        stop.set()
        for reader in readers:
            reader.join(timeout=30)


def test_a_rebuild_mends_the_read_model_and_no_read_fails_meanwhile(catalog, lamps, collection):
    whole = collection.find_one({"_id": "lamp7"})
    collection.update_one({"_id": "lamp7"}, {"$set": {"title": "Wrong", "version": 2**40}})
    collection.insert_one({**whole, "_id": "ghost", "sequence": -1})

    with read_all_the_time(catalog) as (failed, answered):
        call_command("rebuild_catalog")

    assert failed == []
    assert len(answered) > 50
    told = httpx2.get(f"{catalog}/v1/products/lamp7").json()
    assert (told["title"], told["version"]) == ("Lamp", whole["version"])
    assert httpx2.get(f"{catalog}/v1/products/ghost").status_code == 404


def test_a_lost_read_model_is_made_anew(catalog, lamps, collection):
    collection.drop()

    call_command("rebuild_catalog")

    assert collection.count_documents({"deleted": False}) == PRODUCTS
    assert httpx2.get(f"{catalog}/v1/products/lamp7").status_code == 200
