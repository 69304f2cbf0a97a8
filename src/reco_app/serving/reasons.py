"""Why each product is shown: what of the request drove it, and what was counted."""

from collections.abc import Mapping

from reco_app.engine.model import Model
from reco_app.engine.rank import EVIDENCE, SOURCES, drivers
from reco_app.engine.together import FEWEST_TOLD
from reco_app.serving.contracts import Reason
from reco_app.serving.decision import Decision, Pick
from reco_app.serving.diversity import LEAST_SHARE, MOST_TOLD
from reco_app.serving.shelf import Shelf

# A product that nothing at hand drove: the tier it came from is the reason.
UNDRIVEN = {"trending": "trending", "popular": "popular", "new": "new", "pinned": "pinned"}


def reasons(decision: Decision, *, model: Model | None, shelf: Shelf) -> list[list[Reason]]:
    """For each pick at most three products of the request, the strongest first, or one reason
    without any."""
    told: list[list[Reason]] = [[] for _ in decision.picks]
    if model is not None and decision.question.context:
        _tell_driven(told, decision, model=model, shelf=shelf)
    if decision.question.stand_ins:
        told = [_spoken_for(driven, decision.question.stand_ins, shelf) for driven in told]
    return [
        driven or [_undriven(pick, model)]
        for driven, pick in zip(told, decision.picks, strict=True)
    ]


def _tell_driven(
    told: list[list[Reason]], decision: Decision, *, model: Model, shelf: Shelf
) -> None:
    picks = decision.picks
    unpinned = [told[place] for place, pick in enumerate(picks) if pick.row >= 0]
    rows = decision.order.rows[: len(unpinned)]
    found = drivers(
        model,
        decision.candidates.positions[rows],
        decision.question.context,
        decision.candidates.shares[rows],
        scenario=decision.question.scenario,
        most=MOST_TOLD,
        least=LEAST_SHARE,
    )
    causes = shelf.item_ids(found.causes)
    for row, cause, evidence, sessions, share in zip(
        found.rows, causes, found.evidence, found.sessions, found.shares, strict=True
    ):
        unpinned[row].append(Reason(cause, share, EVIDENCE[evidence], sessions or None))


def _spoken_for(driven: list[Reason], stand_ins: Mapping[int, int], shelf: Shelf) -> list[Reason]:
    """The same with products at hand in the place of those that spoke for them.

    Nothing was counted for these: that they are like what was is all there is to tell.
    """
    merged: dict[str | None, Reason] = {}
    for reason in driven:
        at_hand = stand_ins.get(shelf.position(reason.item_id or ""))
        if at_hand is None:
            merged[reason.item_id] = reason
            continue
        name = shelf.item_id(at_hand)
        share = reason.share + (merged[name].share if name in merged else 0.0)
        merged[name] = Reason(name, round(share, 4), "similar")
    return sorted(merged.values(), key=lambda reason: -reason.share)


def _undriven(pick: Pick, model: Model | None) -> Reason:
    kind = UNDRIVEN.get(SOURCES[pick.source], "similar")
    count = _sessions(model, pick.position) if model and kind == "popular" else None
    return Reason(item_id=None, share=1.0, evidence=kind, count=count)


def _sessions(model: Model, position: int) -> int | None:
    """Sessions with the product; None of so few that they would tell of single shoppers."""
    start = model.index.item_start
    count = int(start[position + 1] - start[position])
    return count if count >= FEWEST_TOLD else None
