"""A shop of real groceries in memory, trained and live, for bench/filter_trials.py."""

import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.filter_trials import NOW, Product, measured
from reco_app.curation.contracts import CuratedRule
from reco_app.engine.index import Log, build, uncatalogued
from reco_app.engine.model import Model
from reco_app.engine.parameters import Parameters
from reco_app.serving import live, rules, shelf
from reco_app.serving.cards import Card, Cards
from reco_app.training import dataset, eventlog
from reco_app.training.eventlog import EventLog
from runtime.local import groceries

TRIALS = 5_000
BASKETS = 5_000  # the newest
NEWER_THAN_RELEASE = 50  # one product in so many
PARAMETERS = Parameters()


def main() -> None:
    products, log = _groceries()
    hides = [_hide(products[0]["categories"][0])]
    live.change(lambda _: _shop(products, log, hides))
    sys.stdout.write("\n" + json.dumps(measured(products, hides, trials=TRIALS)))


def _groceries() -> tuple[list[Product], EventLog]:
    """The demo's products and events; what has one title and brand counts as variants of one."""
    with tempfile.TemporaryDirectory() as made:
        files = groceries.write(Path(made) / "groceries", now=NOW)
        products: list[Product] = [
            msgspec.json.decode(line) for line in files.products.read_bytes().splitlines()
        ]
        log = eventlog.read(files.events)
    for product in products:
        product["item_group_id"] = f"{product['brand']} {product['title']}"
    return products, log


def _shop(products: list[Product], log: EventLog, hides: list[CuratedRule]) -> live.Live:
    model = _trained([p["id"] for p in products[::NEWER_THAN_RELEASE]], products, log)
    stock = shelf.empty(model.item_ids).with_products(
        (msgspec.convert(product, shelf.ShelfProduct) for product in products), version=1
    )
    cards = Cards(current=True)
    cards.remember((p["id"], Card(1, msgspec.json.encode(p))) for p in products)
    return live.state_of(model, stock, rules.curation(hides, [], version=1), cards)


def _trained(newer: list[str], products: Sequence[Product], log: EventLog) -> Model:
    """On the newest baskets, without the products that came after the release."""
    left_out = set(newer)
    item_ids = [product["id"] for product in products if product["id"] not in left_out]
    place = {item_id: at for at, item_id in enumerate(item_ids)}
    item = np.array([place.get(item_id, -1) for item_id in log.item_ids])[log.item]
    ended = np.zeros(len(log.session_ids))
    np.maximum.at(ended, log.session, log.at)
    newest = ended >= np.partition(ended, -BASKETS)[-BASKETS]
    kept = newest[log.session] & (item >= 0)
    columns = Log(
        log.session[kept], item[kept].astype(np.int32), log.event_type[kept], log.at[kept]
    )
    catalogue = uncatalogued(len(item_ids))._replace(category=_categories(products, left_out))
    counted = dataset.counted(columns, len(item_ids))
    index = build(counted, catalogue, PARAMETERS, now=NOW.timestamp())
    trained_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Model(index, item_ids, PARAMETERS, {"version": "trials", "trained_at": trained_at})


def _categories(products: Sequence[Product], left_out: set[str]) -> NDArray[np.int32]:
    numbers: dict[str, int] = {}
    for product in products:
        numbers.setdefault(product["categories"][0], len(numbers))
    return np.array(
        [numbers[p["categories"][0]] for p in products if p["id"] not in left_out], np.int32
    )


def _hide(category: str) -> CuratedRule:
    return CuratedRule(
        id=1,
        kind="hide",
        target_product=None,
        target_category=category,
        position=None,
        factor=1.0,
        placement=None,
        context_category=None,
        context_product=None,
        starts_at=None,
        ends_at=None,
        active=True,
        note="",
    )
