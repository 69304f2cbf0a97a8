from django.urls import path

from reco_app.events import api

urlpatterns = [
    path("v1/events", api.events),
    path("v1/sessions/<path:session_id>", api.session),
    path("v1/imports/events", api.imports),
]
