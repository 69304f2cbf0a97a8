"""The numbers that steer the engine: plain tuples of floats, kept in a release's manifest."""

from collections.abc import Mapping
from math import isnan
from typing import Any, NamedTuple


class Weighing(NamedTuple):
    """How much each context item says about what comes next."""

    last_items: float = 20.0
    """Distinct items, counted from the newest, that are looked at."""
    order_decay: float = 1.5
    """Newer items by which the weight falls to 1/e; infinite where order says nothing."""
    age_half_life_seconds: float = 1_800.0
    quantity_weight: float = 0.1
    """Added for each natural logarithm of the quantity."""
    viewed: float = 1.0
    clicked: float = 1.0
    carted: float = 1.5
    bought: float = 1.5


class Neighbourhood(NamedTuple):
    """How sessions like the context are found, and how their items are scored."""

    sample: float = 500.0
    """Most recent sessions looked at for each context item."""
    neighbours: float = 500.0
    match_idf_power: float = 1.5
    """Rare shared items count more by idf to this power."""
    score_idf_power: float = 1.25
    """Rare candidates count more by idf to this power."""
    length_power: float = 0.1
    """Long sessions count less by length to this power."""
    recency_days: float = 180.0
    """Days by which a session's weight falls to 1/e."""
    distance_decay: float = 3.0
    """Steps from the shared item by which a candidate's weight falls to 1/e."""
    likeness_weight: float = 0.1
    """What the likeness of embeddings adds, as a part of the best neighbours' score."""
    near: float = 60.0
    """Candidates taken from those nearest to the newest context item."""
    current_factor: float = 0.15
    """Factor on the newest item of the context itself."""
    repeat_factor: float = 9.0
    """Factor on the other items of the context."""
    repeat_decay: float = 3.0
    """Newer items by which that factor falls to 1/e."""
    repeat_times_power: float = 0.5
    """What is met several times in the context counts more by the times to this power."""


class Linear(NamedTuple):
    """How the item-item weights of baskets are made."""

    ridge: float = 30.0
    recency_days: float = 260.0
    """Days by which a basket's weight falls to 1/e."""
    length_power: float = 0.5
    """Long baskets count less by length to this power."""
    neighbours: float = 96.0
    """Items that explain one item; 0 for no weights at all."""
    row: float = 300.0
    """Weights kept for each item: those below 0 tell as much as those above."""


class BasketNeighbourhood(NamedTuple):
    """How baskets alike are found, and what they say beside the item-item weights."""

    weight: float = 0.0
    """Of the baskets alike, against 1 for the item-item weights; 0 leaves them out, which is
    twice as fast: tuning takes them in where they find more."""
    sample: float = 300.0
    """Most recent baskets looked at for each product at hand."""
    neighbours: float = 100.0
    match_idf_power: float = 2.0
    """Rare shared products count more by idf to this power."""
    length_power: float = 0.5
    """Long baskets count less by length to this power."""
    recency_days: float = 260.0
    """Days by which a basket's weight falls to 1/e."""


class Parameters(NamedTuple):
    """All of the above, one part for each use."""

    session_weighing: Weighing = Weighing()
    session: Neighbourhood = Neighbourhood()
    basket_weighing: Weighing = Weighing(
        last_items=1e9,
        order_decay=1e9,  # a basket has no order
        age_half_life_seconds=86_400.0,
        quantity_weight=0.05,
        carted=1.2,
        bought=1.2,
    )
    basket: Linear = Linear()
    basket_neighbourhood: BasketNeighbourhood = BasketNeighbourhood()
    substitute_factor: float = 0.9
    """Factor on what shares a category with the basket: it rather replaces than completes it."""
    trending_half_life_days: float = 3.0


_PARTS: dict[str, Any] = {
    "session_weighing": Weighing,
    "session": Neighbourhood,
    "basket_weighing": Weighing,
    "basket": Linear,
    "basket_neighbourhood": BasketNeighbourhood,
}


class ParametersUnknown(ValueError):
    """A document has not the fields of these parameters: another version wrote it."""


def to_dict(parameters: Parameters) -> dict[str, Any]:
    """A document for a manifest, read back by `from_dict`."""
    return {
        name: value._asdict() if name in _PARTS else value
        for name, value in parameters._asdict().items()
    }


def from_dict(document: Mapping[str, Any]) -> Parameters:
    """Parameters from a manifest; floats throughout, as the compiled kernels expect.

    Raises ParametersUnknown, and ValueError for what is no number.
    """
    _require_fields(document, Parameters._fields)
    fields: dict[str, Any] = {}
    for name, value in document.items():
        part = _PARTS.get(name)
        fields[name] = _number(name, value) if part is None else _part(part, value)
    return Parameters(**fields)


def _part(part: Any, document: Mapping[str, Any]) -> Any:
    _require_fields(document, part._fields)
    return part(**{name: _number(name, value) for name, value in document.items()})


def _require_fields(document: Mapping[str, Any], fields: tuple[str, ...]) -> None:
    if not isinstance(document, Mapping) or set(document) != set(fields):
        raise ParametersUnknown("its parameters are of another version of this program")


def _number(name: str, value: object) -> float:
    if not isinstance(value, int | float) or isnan(value):
        raise ValueError(f"parameter {name} is no number")
    return float(value)
