"""How an answer came about: each step of the decision, replayed on the release it was made on."""

import asyncio
from datetime import UTC, datetime
from functools import lru_cache

from reco_app.engine import release
from reco_app.engine.model import Model, open_release
from reco_app.engine.sealed import ReleaseCorrupt
from reco_app.serving import canonical, identity, live, parsing, service, steps
from reco_app.serving.absence import absence
from reco_app.serving.contracts import Asked, Why, WhyRequest
from reco_app.serving.decision import Decision
from reco_app.serving.live import Live
from reco_app.settings import current
from runtime.problems import FieldError, Problem

REPLAYED = 2  # releases kept open beside the live one


async def why(asked: WhyRequest) -> Why:
    """Replay a request on the release that its recommendation id names, with today's catalogue.

    Raises Problem: invalid-fields for an id or a request that do not belong together, not-found
    when the release is gone.
    """
    named = _identity_of(asked)
    state = await asyncio.to_thread(_state_of, named.release)
    answered_at = datetime.fromtimestamp(named.answered_at, UTC)
    decision, degraded = await service.decided(asked.request, state, now=answered_at)
    question = decision.question
    return Why(
        release=named.release,
        answered_at=answered_at,
        curation_version=named.curation_version,
        curation_version_now=state.curation.version,
        delta_position=named.delta_position,
        delta_position_now=state.model.position if state.model else 0,
        scenario=question.scenario,
        placement=question.placement,
        candidates=len(decision.candidates.positions),
        allowed=int(decision.allowed.sum()),
        filter_set_aside=decision.relaxed,
        missing_ids=question.missing_ids,
        warnings=decision.warnings,
        degraded=degraded,
        rules=[steps.rule_told(rule) for rule in question.rules],
        steps=steps.steps(decision, state),
        item=_item(asked, decision, state),
    )


def _identity_of(asked: WhyRequest) -> identity.Identity:
    secret = current().secret_key.get_secret_value().encode()
    try:
        told = identity.read(asked.recommendation_id, secret=secret)
    except identity.IdentityInvalid as error:
        raise parsing.invalid(FieldError("/recommendation_id", str(error))) from error
    if told.digest != canonical.digest(asked.request):
        detail = "This is not the request that the recommendation_id was given for."
        raise parsing.invalid(FieldError("/request", detail))
    return told


def _state_of(version: str) -> Live:
    state = live.current()
    if state.model is not None and state.model.version == version:
        return state
    if not version:
        return live.state_of(None, state.shelf, state.curation, state.cards)
    model = _past(version)
    shelf = state.shelf.reordered(model.item_ids)
    return live.state_of(model, shelf, state.curation, state.cards)


@lru_cache(maxsize=REPLAYED)
def _past(version: str) -> Model:
    try:
        return open_release(release.release_path(current().model_dir, version))
    except (ReleaseCorrupt, OSError) as error:  # a file may go while it is read
        detail = f"The release {version} is no longer kept, so its answers cannot be replayed."
        raise Problem("not-found", detail) from error


def _item(asked: WhyRequest, decision: Decision, state: Live) -> Asked | None:
    if asked.item_id is None:
        return None
    position = state.shelf.position(asked.item_id)
    for place, pick in enumerate(decision.picks, 1):
        if pick.position == position:
            return Asked(asked.item_id, place, [])
    causes = absence(asked.item_id, asked.request, decision, state)
    return Asked(asked.item_id, None, causes)
