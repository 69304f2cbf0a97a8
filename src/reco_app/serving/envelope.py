"""What an answer says beside its products: who gives it, and by what name it can be found again."""

from collections.abc import Sequence
from datetime import datetime

from reco_app.serving import identity
from reco_app.serving.contracts import Answer, ModelVersion, Request, Result, Warning
from reco_app.serving.live import Live
from reco_app.settings import current


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
        recommendation_id=_signed(request.scenario, digest, state, now=now),
        items=items,
        missing_ids=missing_ids,
        warnings=list(warnings),
        degraded=list(degraded),
        model=model_version(state),
    )


def model_version(state: Live) -> ModelVersion | None:
    """Which release answers; None before the first."""
    if state.model is None:
        return None
    manifest = state.model.manifest
    return ModelVersion(str(manifest.get("version", "")), str(manifest.get("trained_at", "")))


def six_decimals(score: float) -> float:
    """What is shown of a score, from 0 to 1; a fifth of the time of `round`."""
    return int(score * 1e6 + 0.5) / 1e6


def _signed(scenario: str, digest: bytes, state: Live, *, now: datetime) -> str:
    told = identity.Identity(
        release=state.model.version if state.model else "",
        curation_version=state.curation.version,
        scenario=scenario,
        answered_at=int(now.timestamp()),
        digest=digest,
        delta_position=state.model.position if state.model else 0,
    )
    return identity.sign(told, secret=current().secret_key.get_secret_value().encode())
