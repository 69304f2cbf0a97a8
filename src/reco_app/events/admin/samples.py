"""One answer in a hundred, to look at."""

import json

from django.contrib import admin
from django.utils.html import format_html
from unfold.decorators import display

from reco_app.events.admin.reading import ReadOnlyAdmin
from reco_app.events.models import RecommendationSample

SHOWN = 12


@admin.register(RecommendationSample)
class RecommendationSampleAdmin(ReadOnlyAdmin):
    list_display = ("answered_at", "scenario", "context", "shown", "release")
    search_fields = ("=scenario",)
    search_help_text = "A scenario, or the slug of a placement."
    fields = ("answered_at", "scenario", "release", "asked", "answered")
    readonly_fields = fields

    @display(description="for")
    def context(self, sample: RecommendationSample) -> str:
        return ", ".join(item["item_id"] for item in sample.request["items"][-SHOWN:]) or "–"

    @display(description="shown")
    def shown(self, sample: RecommendationSample) -> str:
        return ", ".join(item["item_id"] for item in sample.items[:SHOWN])

    @display(description="request")
    def asked(self, sample: RecommendationSample) -> str:
        return format_html("<pre>{}</pre>", json.dumps(sample.request, indent=1))

    @display(description="items")
    def answered(self, sample: RecommendationSample) -> str:
        return format_html("<pre>{}</pre>", json.dumps(sample.items, indent=1))
