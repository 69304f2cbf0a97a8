"""Product cards of this process: of what changed since the release, and of its snapshot."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from reco_app.engine.direct import CardTable
from reco_app.serving.canonical import each_once
from reco_app.training.snapshot import Snapshot
from runtime import metrics

KEPT = 50_000  # cards cut down to the fields asked for, some 20 MB; as much again in tables
MOST_TABLES = 4  # of different fields, each 16 bytes a product
PRICED = ("price", "sale_price")
_missed = metrics.cache_misses_total.labels("cards")


class Card(NamedTuple):
    """A product on the wire, as JSON; `version` is the curation version of its last change."""

    version: int
    json: bytes


class Cards:
    """Read by requests while the follower adds to it: each change is one assignment."""

    def __init__(self, snapshot: Snapshot | None = None, *, current: bool = False) -> None:
        self.snapshot = snapshot
        self.current = current
        """Whether all changes since the snapshot were read, so that its cards can be trusted."""
        self._changed: dict[str, Card] = {}
        self._shown: dict[tuple[str, ...], dict[str, msgspec.Raw]] = {}
        self._tables: dict[tuple[str, ...], CardTable] = {}
        self._kept = 0

    def remember(self, cards: Iterable[tuple[str, Card]]) -> None:
        changed = dict(cards)
        self._changed.update(changed)
        for shown in list(self._shown.values()):
            for item_id in changed:
                shown.pop(item_id, None)
        self._tables.clear()

    def over(self, snapshot: Snapshot | None) -> "Cards":
        """The cards for another release: what changed after its snapshot stays remembered."""
        since = snapshot.version if snapshot else -1
        cards = Cards(snapshot, current=self.current)
        cards.remember((key, card) for key, card in self._changed.items() if card.version > since)
        return cards

    def known(
        self, products: Iterable[tuple[str, int]], fields: Sequence[str], *, stale: bool = False
    ) -> dict[str, msgspec.Raw]:
        """Cards cut down to `fields`, of those of the products (id and position) that are here.

        What may be out of date is left out unless `stale` is good enough.
        """
        shown = self._shown.setdefault(each_once(tuple(fields)), {})
        trusted = self.current or stale
        cards: dict[str, msgspec.Raw] = {}
        for item_id, position in products:
            if trusted or item_id in self._changed:
                card = shown.get(item_id) or self._cut(item_id, position, fields, shown)
                if card is not None:
                    cards[item_id] = card
        return cards

    def table(self, fields: Sequence[str], item_count: int) -> CardTable | None:
        """Cards by the place of the first `item_count` products, for compiled code; None while
        cards may be out of date."""
        if not self.current:
            return None
        wanted = each_once(tuple(fields))
        table = self._tables.get(wanted)
        if table is None:
            if len(self._tables) >= MOST_TABLES:
                self._tables.clear()
            table = self._tables[wanted] = CardTable(item_count)
        return table

    def _cut(
        self, item_id: str, position: int, fields: Sequence[str], shown: dict[str, msgspec.Raw]
    ) -> msgspec.Raw | None:
        """The card cut down, and kept unless it has just changed."""
        _missed.inc()
        changed = self._changed.get(item_id)
        json = changed.json if changed else self._from_snapshot(position)
        product = msgspec.json.decode(json) if json else {"deleted": True}
        if product.get("deleted"):
            return None
        card = shown[item_id] = cut_down(product, fields)
        if self._changed.get(item_id) is not changed:
            shown.pop(item_id, None)
        self._kept += 1
        if self._kept >= KEPT:
            self._shown.clear()
            self._tables.clear()
            self._kept = 0
        return card

    def _from_snapshot(self, position: int) -> bytes:
        if self.snapshot is None or position >= len(self.snapshot.visible):
            return b""
        return self.snapshot.card(position)


def cut_down(product: dict[str, Any], fields: Sequence[str]) -> msgspec.Raw:
    """The named fields of a product; a price never goes without its currency."""
    wanted = set(fields)
    if wanted.intersection(PRICED):
        wanted.add("currency")
    return msgspec.Raw(
        msgspec.json.encode({name: product[name] for name in product if name in wanted})
    )
