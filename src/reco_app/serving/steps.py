"""Each result of a decision, told: its place by score alone, and what put it where it is."""

import numpy as np

from reco_app.curation.contracts import CuratedRule
from reco_app.engine.arrange import BY_COVERAGE, BY_RELEVANCE
from reco_app.engine.rank import SOURCES
from reco_app.serving import rules
from reco_app.serving.contracts import PlacedBy, Reason, RuleTold, Step
from reco_app.serving.decision import Decision, Pick, factors
from reco_app.serving.live import Live
from reco_app.serving.reasons import reasons


def steps(decision: Decision, state: Live) -> list[Step]:
    told = reasons(decision, model=state.model, shelf=state.shelf)
    return [
        _pinned(pick, why, place, decision, state)
        if pick.row < 0
        else _placed(pick, why, place, decision, state)
        for place, (pick, why) in enumerate(zip(decision.picks, told, strict=True), 1)
    ]


def _pinned(pick: Pick, why: list[Reason], place: int, decision: Decision, state: Live) -> Step:
    return Step(
        item_id=state.shelf.item_id(pick.position),
        position=place,
        place_by_score=None,
        placed_by="pin",
        source=SOURCES[pick.source],
        engine_score=None,
        rule_factor=1.0,
        profile_factor=1.0,
        budget_factor=1.0,
        beyond_budget=False,
        score=pick.score,
        reasons=why,
        rules=_rules_about(pick, decision, state),
    )


def _placed(pick: Pick, why: list[Reason], place: int, decision: Decision, state: Live) -> Step:
    row, budget = pick.row, decision.budget
    position = np.array([pick.position], np.int32)
    of_rules, of_profile = factors(decision.question, decision.profile, position, state.shelf)
    place_by_score = 1 + int((decision.scores > decision.scores[row]).sum())
    place_by_score += int((decision.scores[:row] == decision.scores[row]).sum())
    return Step(
        item_id=state.shelf.item_id(pick.position),
        position=place,
        place_by_score=place_by_score,
        placed_by=_placed_by(row, place_by_score, decision),
        source=SOURCES[pick.source],
        engine_score=float(decision.candidates.scores[row]),
        rule_factor=float(of_rules[0]),
        profile_factor=float(of_profile[0]),
        budget_factor=float(budget.factors[row]) if budget else 1.0,
        beyond_budget=bool(budget.later[row]) if budget else False,
        score=pick.score,
        reasons=why,
        rules=_rules_about(pick, decision, state),
    )


def _placed_by(row: int, place_by_score: int, decision: Decision) -> PlacedBy:
    """What put a candidate where it is: what moved it up, if anything did."""
    at = decision.order.rows.tolist().index(row)
    cause = int(decision.order.causes[at])
    if cause == BY_RELEVANCE:
        return "budget" if at + 1 < place_by_score else "score"
    return "coverage" if cause == BY_COVERAGE else "diversity"


def _rules_about(pick: Pick, decision: Decision, state: Live) -> list[int]:
    return [
        rule.id
        for rule in decision.question.rules
        if rules.is_about(rule, pick.position, state.shelf)
    ]


def rule_told(rule: CuratedRule) -> RuleTold:
    target = rule.target_product or rule.target_category or ""
    return RuleTold(rule.id, rule.kind, target, rule.factor, rule.position, rule.note)
