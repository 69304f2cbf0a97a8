"""Product cards of this process: of what changed since the release, and of its snapshot."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from reco_app.training.snapshot import Snapshot

KEPT = 20_000  # cards cut down to the fields asked for
PRICED = ("price", "sale_price")


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
        self._shown: dict[tuple[str, tuple[str, ...]], tuple[Card | None, msgspec.Raw]] = {}

    def remember(self, cards: Iterable[tuple[str, Card]]) -> None:
        self._changed.update(cards)

    def over(self, snapshot: Snapshot | None) -> "Cards":
        """The cards for another release: what changed after its snapshot stays remembered."""
        since = snapshot.version if snapshot else -1
        cards = Cards(snapshot, current=self.current)
        cards.remember((key, card) for key, card in self._changed.items() if card.version > since)
        return cards

    def known(
        self, item_id: str, position: int, fields: Sequence[str], *, stale: bool = False
    ) -> msgspec.Raw | None:
        """The card cut down to `fields`; None if it is not here, or may be out of date and
        `stale` is not good enough."""
        key = (item_id, tuple(fields))
        changed = self._changed.get(item_id)
        shown = self._shown.get(key)
        if shown is not None and shown[0] is changed and (changed or self.current or stale):
            return shown[1]
        json = changed.json if changed else self._from_snapshot(position, stale=stale)
        if not json:
            return None
        cut = cut_down(msgspec.json.decode(json), fields)
        if len(self._shown) >= KEPT:
            self._shown.clear()
        self._shown[key] = (changed, cut)
        return cut

    def _from_snapshot(self, position: int, *, stale: bool) -> bytes:
        snapshot = self.snapshot
        if snapshot is None or not (self.current or stale):
            return b""
        return snapshot.card(position) if position < len(snapshot.visible) else b""


def cut_down(product: dict[str, Any], fields: Sequence[str]) -> msgspec.Raw:
    """The named fields of a product; a price never goes without its currency."""
    wanted = set(fields)
    if wanted.intersection(PRICED):
        wanted.add("currency")
    return msgspec.Raw(
        msgspec.json.encode({name: product[name] for name in product if name in wanted})
    )
