"""Answering: which products, in which order, why, and with their cards."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from time import perf_counter
from typing import Any

import msgspec

from reco_app.curation.contracts import CuratedRule
from reco_app.engine.rank import SOURCES
from reco_app.events import recommendation_log
from reco_app.serving import answers, cache, canonical, envelope, live, plain, profiles, stages
from reco_app.serving.answers import Kept, Wording
from reco_app.serving.cards import cut_down
from reco_app.serving.contracts import Answer, Request, Result, Warning
from reco_app.serving.decision import Decision, decide
from reco_app.serving.live import Live
from reco_app.serving.question import understood
from reco_app.serving.reasons import reasons
from reco_app.serving.stages import Watch
from runtime import metrics


async def answered(request: Request, *, now: datetime, wording: Wording) -> Kept:
    """The encoded answer to a request that was worded like this, anew or as it was just now.

    Raises Problem invalid-fields for a scenario that does not exist.
    """
    kept = at_once(request, now=now, wording=wording)
    if kept is not None:
        return kept
    state, digest = live.current(), canonical.digest(request)
    watch = stages.whole()
    answer = await recommend(request, now=now, digest=digest, watch=watch)
    watch.lap("envelope")
    body, degraded = msgspec.json.encode(answer), bool(answer.degraded)
    watch.lap("encoding")
    kept = Kept(body, digest, state.curation.version, degraded=degraded)
    recommendation_log.offer(body, request)
    answers.keep(kept, request, state)
    answers.keep_wording(wording, kept, request)
    return kept


def at_once(request: Request, *, now: datetime, wording: Wording) -> Kept | None:
    """The same of what was answered just now, or is a plain question; None for all else."""
    digest = canonical.digest(request)
    kept = answers.meant(digest)
    if kept is None:
        state, started_at = live.current(), perf_counter()
        body = plain.encoded(request, digest, state, now=now)
        if body is None:
            return None
        stages.compiled(started_at)
        kept = Kept(body, digest, state.curation.version, degraded=False)
        recommendation_log.offer(body, request)
        answers.keep(kept, request, state)
    answers.keep_wording(wording, kept, request)
    return kept


async def recommend(
    request: Request,
    *,
    now: datetime,
    digest: bytes | None = None,
    watch: Watch = stages.STOPPED,
) -> Answer:
    """Answer a request by what this process knows at this moment.

    `digest` is its canonical one, where that is known. Raises Problem invalid-fields for a
    scenario that does not exist.
    """
    state = live.current()
    decision, degraded = await decided(request, state, now=now, watch=watch)
    digest = digest or canonical.digest(request)
    return await _answer(
        request, decision, state, now=now, degraded=degraded, digest=digest, watch=watch
    )


async def preview(
    request: Request, *, now: datetime, rules: Sequence[CuratedRule] | None = None
) -> Answer:
    """The answer as it would be with these rules instead of the live ones; () for none."""
    state = live.current()
    decision, degraded = await decided(request, state, now=now, placement_rules=rules)
    digest = canonical.digest(request)
    return await _answer(request, decision, state, now=now, degraded=degraded, digest=digest)


async def decided(
    request: Request,
    state: Live,
    *,
    now: datetime,
    placement_rules: Sequence[CuratedRule] | None = None,
    watch: Watch = stages.STOPPED,
) -> tuple[Decision, list[str]]:
    """The decision on a given state, and the neighbours that did not answer."""
    question = understood(request, state, now=now, placement_rules=placement_rules)
    watch.lap("question")
    if request.profile is None:
        return decide(request, question, state, profile=None, watch=watch), []
    profile, away = await profiles.named(request.profile)
    watch.lap("profile")
    decision = decide(request, question, state, profile=profile, watch=watch)
    if profile is None and not away:
        detail = f"There is no profile “{request.profile}”; the answer leans to none."
        decision.warnings.append(Warning("unknown-profile", detail))
    return decision, ["profile"] if away else []


async def _answer(
    request: Request,
    decision: Decision,
    state: Live,
    *,
    now: datetime,
    degraded: list[str],
    digest: bytes,
    watch: Watch = stages.STOPPED,
) -> Answer:
    positions = [pick.position for pick in decision.picks]
    shown = list(zip(state.shelf.item_ids(positions), positions, strict=True))
    cards = state.cards.known(shown, request.fields)
    if len(cards) < len(shown):
        more, away = await _more_cards(shown, cards, state, request.fields)
        cards |= more
        degraded = [*degraded, *away]
    watch.lap("cards")
    told = reasons(decision, model=state.model, shelf=state.shelf)
    watch.lap("reasons")
    return envelope.answer(
        request,
        digest,
        state,
        now=now,
        items=[
            Result(
                item_id,
                envelope.six_decimals(pick.score),
                place,
                SOURCES[pick.source],
                why,
                cards.get(item_id),
            )
            for place, (pick, (item_id, _), why) in enumerate(
                zip(decision.picks, shown, told, strict=True), start=1
            )
        ],
        missing_ids=decision.question.missing_ids,
        warnings=decision.warnings,
        degraded=degraded,
    )


async def _more_cards(
    shown: Sequence[tuple[str, int]],
    known: Mapping[str, msgspec.Raw],
    state: Live,
    fields: Sequence[str],
) -> tuple[dict[str, msgspec.Raw], list[str]]:
    """The cards that this process lacks: from Redis, from catalog, and without it out of date."""
    wanted = [product for product in shown if product[0] not in known]
    fetched, degraded = await _fetched([item_id for item_id, _ in wanted])
    cards = {item_id: cut_down(card, fields) for item_id, card in fetched.items()}
    if degraded:
        left = [product for product in wanted if product[0] not in cards]
        cards |= state.cards.known(left, fields, stale=True)
    return cards, degraded


async def _fetched(item_ids: list[str]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    found = await cache.cards.read(item_ids)
    cards = {item_id: msgspec.json.decode(value.body) for item_id, value in found.values.items()}
    if found.trouble is None:
        return cards, []
    metrics.degraded_total.labels("catalog").inc()
    return cards, ["catalog"]
