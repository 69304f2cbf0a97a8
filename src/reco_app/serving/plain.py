"""The way of most answers: what follows in sessions, and nothing that would change the order.

It gives what the whole way (question, decision, reasons) gives, in a third of the time, or None
where that has more to do: see tests/reco_app/serving/test_plain.py and bench/answers.py.
"""

from datetime import datetime
from functools import partial

import msgspec

from reco_app.engine import direct
from reco_app.engine.direct import CardTable
from reco_app.engine.rank import ContextItem
from reco_app.serving import envelope, rules
from reco_app.serving.contracts import DEFAULT_COUNT, Request
from reco_app.serving.diversity import LEAST_SHARE
from reco_app.serving.live import Live
from reco_app.serving.question import entry, named_products

SCENARIO = "session"
NO_ITEMS = b'"items":[]'


def encoded(request: Request, digest: bytes, state: Live, *, now: datetime) -> bytes | None:
    """The answer as JSON, if it is found on this way; `digest` is the request's canonical one."""
    if not _is_plain(request, state):
        return None
    context: list[ContextItem] = []
    missing: dict[str, None] = {}
    if not _look_up(request, state, context, missing):
        return None
    at_hand = [one.item for one in context]
    live_rules = state.curation.rules
    if live_rules and rules.applicable(
        live_rules, placement=None, context=at_hand, shelf=state.shelf, now=now
    ):
        return None
    results = _results(request, state, context, at_hand)
    if results is None:
        return None
    bare = envelope.answer(request, digest, state, now=now, items=[], missing_ids=list(missing))
    return msgspec.json.encode(bare).replace(NO_ITEMS, b'"items":[%b]' % results, 1)


def _is_plain(request: Request, state: Live) -> bool:
    return (
        request.scenario == SCENARIO
        and SCENARIO not in state.curation.placements
        and request.profile is None
        and request.budget is None
        and request.diversity == 0
        and state.model is not None
        and not state.shelf.has_variants
        and (request.filter.price_min is None or request.filter.price_max is None)
    )


def _look_up(
    request: Request, state: Live, context: list[ContextItem], missing: dict[str, None]
) -> bool:
    """Sort the products at hand into known and missing; false if one is newer than the release."""
    if state.model is None:
        return False
    known_to_engine, position_of = len(state.model.item_ids), state.shelf.position
    for item in request.items:
        position = position_of(item.item_id)
        if position < 0:
            missing[item.item_id] = None
        elif position < known_to_engine:
            context.append(entry(item, position))
        else:
            return False
    return bool(context)


def _results(
    request: Request, state: Live, context: list[ContextItem], at_hand: list[int]
) -> bytes | None:
    """The results as JSON; None where they are not a full list with all its cards."""
    if state.model is None:
        return None
    known = len(state.model.item_ids)
    never = [] if request.include_context else at_hand
    if request.exclude_ids:
        excluded = named_products(request.exclude_ids, state.shelf)
        never = [*never, *(position for position in excluded if position < known)]
    cards = state.cards.table(request.fields, known)
    if cards is None:
        return None
    ask = partial(
        direct.to(state.model).after_sessions,
        context,
        state.masks.passing(request.filter),
        never,
        cards,
        count=request.count or DEFAULT_COUNT,
        least=LEAST_SHARE,
    )
    results = ask()
    if isinstance(results, list):
        _put_cards(results, cards, state, request)
        results = ask()
    return results if isinstance(results, bytes) else None


def _put_cards(items: list[int], table: CardTable, state: Live, request: Request) -> None:
    shown = list(zip(state.shelf.item_ids(items), items, strict=True))
    cards = state.cards.known(shown, request.fields)
    for item_id, item in shown:
        if item_id in cards:
            table.put(item, bytes(cards[item_id]))
