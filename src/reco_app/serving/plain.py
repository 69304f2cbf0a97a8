"""The way of most answers: what follows in sessions, and nothing that would change the order.

It gives what the whole way (question, decision, reasons) gives, in a third of the time, or None
where that has more to do: see tests/reco_app/serving/test_plain.py and bench/answers.py.
"""

from collections.abc import Sequence
from datetime import datetime

from reco_app.engine import direct
from reco_app.engine.direct import CardTable
from reco_app.engine.model import Model
from reco_app.serving import envelope, rules
from reco_app.serving.canonical import rounded_age
from reco_app.serving.contracts import DEFAULT_COUNT, Request
from reco_app.serving.diversity import LEAST_SHARE
from reco_app.serving.live import Live
from reco_app.serving.question import KINDS, named_products

SCENARIO = "session"


def encoded(request: Request, digest: bytes, state: Live, *, now: datetime) -> bytes | None:
    """The answer as JSON, if it is found on this way; `digest` is the request's canonical one."""
    model = state.model
    if model is None or not _is_plain(request, state):
        return None
    places = state.shelf.places([item.item_id for item in request.items])
    at_hand = [place for place in places if place >= 0]
    if not at_hand or max(at_hand) >= len(model.item_ids):
        return None  # nothing is at hand, or something newer than the release
    live_rules = state.curation.rules
    if live_rules and rules.applicable(
        live_rules, placement=None, context=at_hand, shelf=state.shelf, now=now
    ):
        return None
    results = _results(request, state, model, places, at_hand)
    if results is None:
        return None
    missing_ids = () if len(at_hand) == len(places) else _missing(request, places)
    before, between, after = envelope.around(model, missing_ids)
    signed = envelope.signed(request.scenario, digest, state, now=now).encode()
    return b"".join((before, signed, between, results, after))


def _is_plain(request: Request, state: Live) -> bool:
    return (
        request.scenario == SCENARIO
        and SCENARIO not in state.curation.placements
        and request.profile is None
        and request.budget is None
        and request.diversity == 0
        and not state.shelf.variants.positions.size
        and (request.filter.price_min is None or request.filter.price_max is None)
    )


def _missing(request: Request, places: Sequence[int]) -> tuple[str, ...]:
    """The ids that the shelf does not know, each once."""
    pairs = zip(request.items, places, strict=True)
    return tuple(dict.fromkeys(item.item_id for item, place in pairs if place < 0))


def _results(
    request: Request, state: Live, model: Model, places: Sequence[int], at_hand: list[int]
) -> bytes | None:
    """The results as JSON; None where they are not a full list with all its cards."""
    known = len(model.item_ids)
    never = [] if request.include_context else at_hand
    if request.exclude_ids:
        excluded = named_products(request.exclude_ids, state.shelf)
        never = [*never, *(position for position in excluded if position < known)]
    cards = state.cards.table(request.fields, known)
    if cards is None:
        return None
    ask = direct.to(model).after_sessions
    asked = (_context(request, places), state.masks.passing(request.filter), never, cards)
    count = request.count or DEFAULT_COUNT
    results = ask(*asked, count=count, least=LEAST_SHARE)
    if isinstance(results, list):
        _put_cards(results, cards, state, request)
        results = ask(*asked, count=count, least=LEAST_SHARE)
    return results if isinstance(results, bytes) else None


def _context(request: Request, places: Sequence[int]) -> list[tuple[int, int, float, float]]:
    """The products at hand as the engine takes them."""
    return [
        (place, KINDS[item.event_type], item.quantity, rounded_age(item.age_seconds))
        for item, place in zip(request.items, places, strict=True)
        if place >= 0
    ]


def _put_cards(items: list[int], table: CardTable, state: Live, request: Request) -> None:
    shown = list(zip(state.shelf.item_ids(items), items, strict=True))
    cards = state.cards.known(shown, request.fields)
    for item_id, item in shown:
        if item_id in cards:
            table.put(item, bytes(cards[item_id]))
