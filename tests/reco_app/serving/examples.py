"""A small shop whose answers are known by construction."""

from datetime import UTC, datetime

import msgspec
import numpy as np

from reco_app.curation import store
from reco_app.curation.contracts import CuratedPlacement, CuratedRule
from reco_app.engine import index, release
from reco_app.engine.model import Model
from reco_app.engine.parameters import Neighbourhood, Parameters
from reco_app.serving import live, rules, shelf
from reco_app.serving.cards import Card, Cards
from reco_app.training import dataset, snapshot

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOW_SECONDS = NOW.timestamp()
KITCHEN, GARDEN, BOOKS = "Home > Kitchen", "Home > Garden", "Books"
# Embeddings of so few sessions would set what is known by construction in another order.
PARAMETERS = Parameters(session=Neighbourhood(likeness_weight=0.0))
ITEM_IDS = [f"p{number:02}" for number in range(30)]


def product(item_id, **changes):
    number = int(item_id[1:]) if item_id[1:].isdigit() else 0
    return {
        "id": item_id,
        "title": f"Product {item_id}",
        "description": "",
        "brand": ("Acme", "Bolt", "")[number % 3],
        "categories": [(KITCHEN, GARDEN, BOOKS)[number // 10 % 3]],
        "price": f"{number + 1}.50",
        "sale_price": None,
        "currency": "USD",
        "availability": "in_stock",
        "image_url": "",
        "url": "",
        "attributes": {},
        "tags": [],
        "item_group_id": "",
        "published_at": "2026-01-01T00:00:00+00:00",
        "updated_at": "2026-01-01T00:00:00+00:00",
        "version": number + 1,
        **changes,
    }


def model(item_ids=ITEM_IDS, version="2026-11-22T00:00:00Z-test"):
    """Sessions of neighbours: p00 with p01 (often), p01 with p02, and so on."""
    rows = []
    for session in range(240):
        first = session % (len(item_ids) - 1)
        rows += [(session, first), (session, first + 1)]
    rows += [(session, item) for session in range(240, 260) for item in (0, 1)]
    sessions, items = np.array(rows).T
    log = index.Log(
        session=sessions.astype(np.int64),
        item=items.astype(np.int32),
        event_type=np.full(len(rows), 3, np.uint8),
        at=NOW_SECONDS - 3600.0 * (300 - sessions) + np.arange(len(rows)),
    )
    catalogue = index.uncatalogued(len(item_ids))._replace(
        category=(np.arange(len(item_ids)) // 10).astype(np.int32)
    )
    counted = dataset.counted(log, len(item_ids))
    built = index.build(counted, catalogue, PARAMETERS, now=NOW_SECONDS)
    manifest = {"version": version, "trained_at": "2026-11-22T00:00:00Z"}
    return Model(built, item_ids, PARAMETERS, manifest)


MODEL = model()


def state(*, products=None, rules_=(), placements=(), engine=MODEL, version=100):
    """A live state over these products on the wire; the shop's thirty by default."""
    products = [product(item_id) for item_id in ITEM_IDS] if products is None else products
    stock = shelf.empty(engine.item_ids if engine else ()).with_products(
        (msgspec.convert(entry, shelf.ShelfProduct) for entry in products), version=version
    )
    cards = Cards(current=True)
    cards.remember(
        (entry["id"], Card(entry["version"], msgspec.json.encode(entry))) for entry in products
    )
    curation = rules.curation(rules_, placements, version=version)
    return live.state_of(engine, stock, curation, cards)


def rule(kind, *, number=1, **changes):
    fields = {
        "target_product": None,
        "target_category": None,
        "position": None,
        "factor": 1.0,
        "placement": None,
        "context_category": None,
        "context_product": None,
        "starts_at": None,
        "ends_at": None,
        "active": True,
        "note": "",
    }
    return CuratedRule(id=number, kind=kind, **{**fields, **changes})


def placement(slug="home-top", **changes):
    fields = {"name": slug, "scenario": "trending", "count": 6, "filter": {}, "active": True}
    return CuratedPlacement(slug=slug, **{**fields, **changes})


def publish(model_dir, *, item_ids=ITEM_IDS, live_now=True, hour=0):
    """A release of the example shop in the model store, its snapshot that of PostgreSQL."""
    folder = release.stage(model_dir)
    version = store.clock_version()
    products = sorted(store.all_products(), key=lambda row: row.item_id)
    ids = snapshot.write(folder, products, also=item_ids, version=version)
    release.save(folder, model(ids).index, ids)
    trained_at = datetime(2026, 11, 22, hour, tzinfo=UTC)
    name = release.publish(
        folder, model_dir, parameters=PARAMETERS, trained_at=trained_at, details={}
    )
    if live_now:
        release.set_live(model_dir, name)
    return name
