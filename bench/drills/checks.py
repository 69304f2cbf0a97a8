"""Whether an answer is good: a success, by the contract, full, and of what may be shown."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

SHOWN = frozenset({"title", "price", "currency"})


class Reason(msgspec.Struct, forbid_unknown_fields=True):
    item_id: str | None
    share: float
    evidence: str
    count: int | None = None


class Result(msgspec.Struct, forbid_unknown_fields=True):
    item_id: str
    score: float
    position: int
    source: str
    reasons: list[Reason]
    product: dict[str, Any] | None


class Model(msgspec.Struct, forbid_unknown_fields=True):
    version: str
    trained_at: datetime


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    """An answer of 200 as the contract has it, in the eyes of a strict client."""

    recommendation_id: str
    items: list[Result]
    missing_ids: list[str]
    warnings: list[dict[str, str]]
    degraded: list[str]
    model: Model | None
    experiment: dict[str, str] | None = None


class Asked(NamedTuple):
    """What an answer is held against."""

    context: frozenset[str]
    count: int
    category: str


def trouble(status: int, body: bytes, asked: Asked, *, never: Collection[str]) -> str:
    """What is wrong with it; empty if it is good. Degraded ones are good as long as they say so.

    `never` are the products that are hidden or sold out.
    """
    if status != 200:
        return f"status {status}: {_detail(body)}"
    try:
        answer = msgspec.json.decode(body, type=Answer)
    except msgspec.MsgspecError as error:
        return f"not by the contract: {error}"
    ids = [item.item_id for item in answer.items]
    cards = [item.product or {} for item in answer.items]
    wrong = {
        f"{len(ids)} of {asked.count} items": len(ids) != asked.count,
        "an item twice": len(set(ids)) < len(ids),
        "an item of the context": not asked.context.isdisjoint(ids),
        "a hidden or sold-out item": not set(never).isdisjoint(ids),
        "positions out of order": [item.position for item in answer.items]
        != list(range(1, len(ids) + 1)),
        "no reason": not all(item.reasons for item in answer.items),
        "no card": not all(card.keys() >= SHOWN for card in cards),
        "outside the filter": not all(
            any(path.startswith(asked.category) for path in card.get("categories", ()))
            for card in cards
        ),
        "without a model": answer.model is None,
    }
    return next((told for told, is_so in wrong.items() if is_so), "")


def degraded(body: bytes) -> bool:
    """Whether a good answer says that a neighbour is away."""
    return bool(msgspec.json.decode(body, type=Answer).degraded)


def _detail(body: bytes) -> str:
    """Of a problem document: it tells who refused, and why."""
    try:
        return str(msgspec.json.decode(body, type=dict[str, Any]).get("detail", ""))
    except msgspec.MsgspecError:
        return "no problem document"
