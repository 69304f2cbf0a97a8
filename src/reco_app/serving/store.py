"""What serving reads of curation's record, in the form it keeps in memory."""

from typing import NamedTuple

import msgspec

from reco_app.curation import store
from reco_app.curation.contracts import product_card
from reco_app.serving.cards import Card
from reco_app.serving.shelf import ShelfProduct

all_placements = store.all_placements
all_rules = store.all_rules
clock_version = store.clock_version


class Change(NamedTuple):
    product: ShelfProduct
    card: Card


def changes(*, after: int, limit: int) -> list[Change]:
    """Products changed after a version, oldest change first; hidden ones are marked deleted."""
    return [_change(product_card(row)) for row in store.products_changed(after=after, limit=limit)]


def _change(product: dict[str, object]) -> Change:
    known = msgspec.convert(product, ShelfProduct)
    return Change(known, Card(known.version, msgspec.json.encode(product)))
