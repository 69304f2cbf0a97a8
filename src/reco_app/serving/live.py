"""What this process answers from: one immutable state, replaced as a whole by the follower."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from reco_app.engine.model import Model
from reco_app.serving import rules, shelf
from reco_app.serving.cards import Cards
from reco_app.serving.masks import Masks


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Live:
    """A request reads this once and keeps to it, so that an answer is of one release."""

    model: Model | None
    shelf: shelf.Shelf
    curation: rules.Curation
    masks: Masks
    cards: Cards


def state_of(
    model: Model | None, products: shelf.Shelf, curation: rules.Curation, cards: Cards
) -> Live:
    """A state with its own masks, which hold for this shelf alone."""
    return Live(model, products, curation, Masks(products), cards)


_state = state_of(None, shelf.empty(), rules.NOTHING, Cards())
_writing = threading.Lock()


def current() -> Live:
    return _state


def change(edit: Callable[[Live], Live]) -> None:
    """Replace the state by what `edit` makes of it; writers take turns, readers never wait."""
    global _state  # noqa: PLW0603  # this module's purpose
    with _writing:
        _state = edit(_state)
