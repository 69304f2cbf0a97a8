from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "reco_app.events"
