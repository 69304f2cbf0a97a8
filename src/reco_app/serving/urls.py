from django.urls import path

from reco_app.serving import api

urlpatterns = [
    path("v1/recommendations", api.recommendations),
    path("v1/recommendations/why", api.why),
    path("openapi/reco.json", api.openapi),
]
