"""A placement's answer by the real engine, with its rules and without them, side by side."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from asgiref.sync import async_to_sync
from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from reco_app.curation import store
from reco_app.curation.models import Placement, Product, Rule
from reco_app.serving.contracts import Answer, Request, RequestItem
from runtime.problems import Problem

MOST_CONTEXT = 10


class PreviewForm(forms.Form):
    items = forms.ModelMultipleChoiceField(
        Product.objects.all(),
        label="Products at hand",
        required=False,
        widget=AutocompleteSelectMultiple(Rule._meta.get_field("target_product"), admin.site),
        help_text="What the shopper has just looked at or has in the basket; at most ten.",
    )

    def clean_items(self) -> Any:
        items = self.cleaned_data["items"]
        if len(items) > MOST_CONTEXT:
            raise forms.ValidationError(f"At most {MOST_CONTEXT} products.")
        return items


class Card(NamedTuple):
    """One result, as the page shows it; `moved` is its place without rules, if that differs."""

    position: int
    item_id: str
    product: Product | None
    source: str
    reasons: list[str]
    moved: str


def page(request: HttpRequest, placement: Placement, context: dict[str, Any]) -> HttpResponse:
    form = PreviewForm(request.GET)
    items = list(form.cleaned_data["items"]) if form.is_valid() else []
    question = _question(placement, items)
    try:
        plain = _answer(question, without_rules=True)
        curated = _answer(question, without_rules=False)
    except Problem as problem:
        context |= {"trouble": problem.detail}
    else:
        context |= {
            "plain": _cards(plain, beside=curated),
            "curated": _cards(curated, beside=plain),
            "warnings": curated.warnings,
            "degraded": curated.degraded,
            "model": curated.model,
        }
    context |= {
        "title": f"Preview of {placement.name}",
        "placement": placement,
        "form": form,
        "rules": _rules(placement),
    }
    return TemplateResponse(request, "curation/preview.html", context)


def _question(placement: Placement, items: Sequence[Product]) -> Request:
    in_basket = placement.scenario == Placement.Scenario.BASKET
    at_hand = tuple(
        RequestItem(item_id=item.pk, event_type="add-to-cart" if in_basket else "view")
        for item in items
    )
    return Request(scenario=placement.slug, items=at_hand)


def _answer(question: Request, *, without_rules: bool) -> Answer:
    # The engine takes a second to load, which commands that never preview need not wait for.
    from reco_app.serving import service  # noqa: PLC0415

    rules = () if without_rules else None
    return async_to_sync(service.preview)(question, now=timezone.now(), rules=rules)


def _cards(answer: Answer, *, beside: Answer) -> list[Card]:
    causes = [reason.item_id for result in answer.items for reason in result.reasons]
    named = {*causes, *(result.item_id for result in answer.items)} - {None}
    products = Product.objects.in_bulk(named)
    elsewhere = {result.item_id: result.position for result in beside.items}
    return [
        Card(
            position=result.position,
            item_id=result.item_id,
            product=products.get(result.item_id),
            source=result.source,
            reasons=_reasons(result.reasons, products),
            moved=_moved(result.position, elsewhere.get(result.item_id)),
        )
        for result in answer.items
    ]


def _moved(position: int, elsewhere: int | None) -> str:
    if elsewhere is None:
        return "only here"
    return "" if elsewhere == position else f"there at {elsewhere}"


def _reasons(reasons: Sequence[Any], products: Mapping[str, Product]) -> list[str]:
    told = msgspec.to_builtins(reasons)
    return [
        _reason(reason, products.get(reason["item_id"])) for reason in told if reason["item_id"]
    ]


def _reason(reason: dict[str, Any], cause: Product | None) -> str:
    """Such as “bought together with Tea pot in 37 sessions”."""
    joint = " to " if reason["evidence"] == "similar" else " with "
    title = cause.title if cause else reason["item_id"]
    counted = f" in {reason['count']} sessions" if reason.get("count") else ""
    return f"{reason['evidence'].replace('-', ' ')}{joint}{title}{counted}"


def _rules(placement: Placement) -> list[Rule]:
    """The rules that can touch this placement now, as far as can be told without the answer."""
    now = timezone.now()
    in_force = {rule.id for rule in store.all_rules() if rule.in_force(now=now)}
    rules = Rule.objects.filter(pk__in=in_force).select_related("placement", "target_product")
    return [rule for rule in rules if rule.placement_id in (None, placement.pk)]
