"""Product cards of this process: of what changed since the release, and of its snapshot."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from reco_app.serving.canonical import each_once
from reco_app.training.snapshot import Snapshot

KEPT = 50_000  # cards cut down to the fields asked for, some 20 MB
PRICED = ("price", "sale_price")


class Card(NamedTuple):
    """A product on the wire, as JSON; `version` is the curation version of its last change."""

    version: int
    json: bytes


class _Shown(NamedTuple):
    """A card cut down, and the change that it was cut from: None for that of the snapshot."""

    changed: Card | None
    card: msgspec.Raw


class Cards:
    """Read by requests while the follower adds to it: each change is one assignment."""

    def __init__(self, snapshot: Snapshot | None = None, *, current: bool = False) -> None:
        self.snapshot = snapshot
        self.current = current
        """Whether all changes since the snapshot were read, so that its cards can be trusted."""
        self._changed: dict[str, Card] = {}
        self._shown: dict[tuple[str, ...], dict[str, _Shown]] = {}
        self._kept = 0

    def remember(self, cards: Iterable[tuple[str, Card]]) -> None:
        self._changed.update(cards)

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
            changed = self._changed.get(item_id)
            if changed is None and not trusted:
                continue
            known = shown.get(item_id)
            if known is None or known.changed is not changed:
                known = self._cut(changed, position, fields)
                if known is None:
                    continue
                self._keep(shown, item_id, known)
            cards[item_id] = known.card
        return cards

    def _cut(self, changed: Card | None, position: int, fields: Sequence[str]) -> _Shown | None:
        json = changed.json if changed else self._from_snapshot(position)
        product = msgspec.json.decode(json) if json else {"deleted": True}
        return None if product.get("deleted") else _Shown(changed, cut_down(product, fields))

    def _keep(self, shown: dict[str, _Shown], item_id: str, known: _Shown) -> None:
        if self._kept >= KEPT:
            self._shown.clear()
            self._kept = 0
        self._kept += 1
        shown[item_id] = known

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
