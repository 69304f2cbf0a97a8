"""What an answer says beside its products: who gives it, and by what name it can be found again."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import msgspec

from reco_app.engine.model import Model
from reco_app.serving import identity
from reco_app.serving.contracts import Answer, ModelVersion, Request, Result, Warning
from reco_app.serving.live import Live
from reco_app.settings import current

NO_ID, NO_ITEMS = "~", b'"items":[]'


def answer(
    request: Request,
    digest: bytes,
    state: Live,
    *,
    now: datetime,
    items: list[Result],
    missing_ids: list[str],
    warnings: Sequence[Warning] = (),
    degraded: Sequence[str] = (),
) -> Answer:
    """The whole of an answer; `digest` is the request's canonical one."""
    return Answer(
        recommendation_id=signed(request.scenario, digest, state, now=now),
        items=items,
        missing_ids=missing_ids,
        warnings=list(warnings),
        degraded=list(degraded),
        model=model_version(state),
    )


def around(model: Model, missing_ids: tuple[str, ...]) -> tuple[bytes, bytes, bytes]:
    """What stands in an answer as JSON before its id, before its results, and after them."""
    return _around(model.version, model.trained_at, missing_ids)


@lru_cache(maxsize=64)
def _around(
    version: str, trained_at: str, missing_ids: tuple[str, ...]
) -> tuple[bytes, bytes, bytes]:
    model = ModelVersion(version, trained_at)
    bare = msgspec.json.encode(
        Answer(NO_ID, [], list(missing_ids), warnings=[], degraded=[], model=model)
    )
    before, rest = bare.split(NO_ID.encode(), 1)
    between, after = rest.split(NO_ITEMS, 1)
    return before, between + NO_ITEMS[:-1], NO_ITEMS[-1:] + after


def model_version(state: Live) -> ModelVersion | None:
    """Which release answers; None before the first."""
    if state.model is None:
        return None
    return ModelVersion(state.model.version, state.model.trained_at)


def six_decimals(score: float) -> float:
    """What is shown of a score, from 0 to 1; a fifth of the time of `round`."""
    return int(score * 1e6 + 0.5) / 1e6


def signed(scenario: str, digest: bytes, state: Live, *, now: datetime) -> str:
    """The name by which the answer can be found again: see identity."""
    told = identity.Identity(
        release=state.model.version if state.model else "",
        curation_version=state.curation.version,
        scenario=scenario,
        answered_at=int(now.timestamp()),
        digest=digest,
        delta_position=state.model.position if state.model else 0,
    )
    return identity.sign(told, secret=current().secret_key.get_secret_value().encode())
