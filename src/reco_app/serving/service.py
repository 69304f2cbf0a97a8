"""Answering: which products, in which order, why, and with their cards."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from reco_app.curation.contracts import CuratedRule
from reco_app.engine.rank import SOURCES
from reco_app.serving import cache, canonical, clients, identity, live, profiles
from reco_app.serving.cards import cut_down
from reco_app.serving.contracts import Answer, ModelVersion, Request, Result, Warning
from reco_app.serving.decision import Decision, decide
from reco_app.serving.live import Live
from reco_app.serving.question import understood
from reco_app.serving.reasons import reasons
from reco_app.settings import current
from runtime import metrics, rest

CARD_SECONDS = 30


class Shown(NamedTuple):
    """The cards that could be had, by product, and the neighbours that did not answer."""

    cards: Mapping[str, msgspec.Raw]
    degraded: list[str]


async def recommend(request: Request, *, now: datetime) -> Answer:
    """Answer a request by what this process knows at this moment.

    Raises Problem invalid-fields for a scenario that does not exist.
    """
    state = live.current()
    decision, degraded = await decided(request, state, now=now)
    return await _answer(request, decision, state, now=now, degraded=degraded)


async def preview(
    request: Request, *, now: datetime, rules: Sequence[CuratedRule] | None = None
) -> Answer:
    """The answer as it would be with these rules instead of the live ones; () for none."""
    state = live.current()
    decision, degraded = await decided(request, state, now=now, placement_rules=rules)
    return await _answer(request, decision, state, now=now, degraded=degraded)


async def decided(
    request: Request,
    state: Live,
    *,
    now: datetime,
    placement_rules: Sequence[CuratedRule] | None = None,
) -> tuple[Decision, list[str]]:
    """The decision on a given state, and the neighbours that did not answer."""
    question = understood(request, state, now=now, placement_rules=placement_rules)
    if request.profile is None:
        return decide(request, question, state, profile=None), []
    profile, away = await profiles.named(request.profile)
    decision = decide(request, question, state, profile=profile)
    if profile is None and not away:
        detail = f"There is no profile “{request.profile}”; the answer leans to none."
        decision.warnings.append(Warning("unknown-profile", detail))
    return decision, ["profile"] if away else []


async def _answer(
    request: Request, decision: Decision, state: Live, *, now: datetime, degraded: list[str]
) -> Answer:
    shown = await _cards(decision, state, request.fields)
    told = reasons(decision, model=state.model, shelf=state.shelf)
    return Answer(
        recommendation_id=_identity(request, state, now=now),
        items=[
            Result(
                item_id=(item_id := state.shelf.item_id(pick.position)),
                score=round(pick.score, 6),
                position=place,
                source=SOURCES[pick.source],
                reasons=why,
                product=shown.cards.get(item_id),
            )
            for place, (pick, why) in enumerate(zip(decision.picks, told, strict=True), start=1)
        ],
        missing_ids=decision.question.missing_ids,
        warnings=decision.warnings,
        degraded=[*degraded, *shown.degraded],
        model=model_version(state),
    )


def model_version(state: Live) -> ModelVersion | None:
    """Which release answers; None before the first."""
    if state.model is None:
        return None
    manifest = state.model.manifest
    return ModelVersion(str(manifest.get("version", "")), str(manifest.get("trained_at", "")))


def _identity(request: Request, state: Live, *, now: datetime) -> str:
    told = identity.Identity(
        release=state.model.version if state.model else "",
        curation_version=state.curation.version,
        scenario=request.scenario,
        answered_at=int(now.timestamp()),
        digest=canonical.digest(request),
    )
    return identity.sign(told, secret=current().secret_key.get_secret_value().encode())


async def _cards(decision: Decision, state: Live, fields: Sequence[str]) -> Shown:
    """From this process as a rule; else from Redis, from catalog, and at last out of date."""
    cards: dict[str, msgspec.Raw] = {}
    wanted: dict[str, int] = {}
    for pick in decision.picks:
        item_id = state.shelf.item_id(pick.position)
        card = state.cards.known(item_id, pick.position, fields)
        if card is None:
            wanted[item_id] = pick.position
        else:
            cards[item_id] = card
    if not wanted:
        return Shown(cards, [])
    fetched, degraded = await _fetched(list(wanted))
    cards.update({item_id: cut_down(card, fields) for item_id, card in fetched.items()})
    for item_id in wanted.keys() - cards.keys():
        if card := state.cards.known(item_id, wanted[item_id], fields, stale=True):
            cards[item_id] = card
    return Shown(cards, degraded)


async def _fetched(item_ids: list[str]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    shared = await asyncio.to_thread(cache.read, "card", item_ids)
    found = {item_id: msgspec.json.decode(card) for item_id, card in shared.items()}
    missing = [item_id for item_id in item_ids if item_id not in found]
    if not missing:
        return found, []
    try:
        cards = await clients.cards(missing)
    except rest.Unavailable:
        metrics.degraded_total.labels("catalog").inc()
        return found, ["catalog"]
    packed = {item_id: msgspec.json.encode(card) for item_id, card in cards.items()}
    await asyncio.to_thread(cache.keep, "card", packed, seconds=CARD_SECONDS)
    return found | cards, []
