"""Why each product is shown: what of the request drove it, and what was counted."""

import numpy as np

from reco_app.engine.model import Model
from reco_app.engine.rank import SOURCES, evidence
from reco_app.serving.contracts import Reason
from reco_app.serving.decision import Decision, Pick
from reco_app.serving.shelf import Shelf

MOST = 3
LEAST_SHARE = 0.05
# A product that nothing at hand drove: the tier it came from is the reason.
UNDRIVEN = {"trending": "trending", "popular": "popular", "new": "new", "pinned": "pinned"}


def reasons(pick: Pick, decision: Decision, *, model: Model | None, shelf: Shelf) -> list[Reason]:
    """At most three products of the request, the strongest first, or one reason without any."""
    if pick.row >= 0 and model is not None:
        shares = decision.candidates.shares[pick.row]
        strongest = [
            int(place)
            for place in np.argsort(-shares, kind="stable")[:MOST]
            if shares[place] >= LEAST_SHARE
        ]
        if strongest:
            return [
                _driven(pick, decision, place, float(shares[place]), model=model, shelf=shelf)
                for place in strongest
            ]
    source = SOURCES[pick.source]
    kind = UNDRIVEN.get(source, "similar")
    count = _sessions(model, pick.position) if model and kind == "popular" else None
    return [Reason(item_id=None, share=1.0, evidence=kind, count=count)]


def _driven(
    pick: Pick, decision: Decision, place: int, share: float, *, model: Model, shelf: Shelf
) -> Reason:
    question = decision.question
    cause = question.context[place].item
    kind, count = evidence(model, pick.position, cause, question.scenario)
    return Reason(
        item_id=shelf.item_id(cause), share=round(share, 4), evidence=kind, count=count or None
    )


def _sessions(model: Model, position: int) -> int | None:
    """Sessions with the product."""
    start = model.index.item_start
    return int(start[position + 1] - start[position])
