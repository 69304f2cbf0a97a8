from django.apps import AppConfig


class ServingConfig(AppConfig):
    name = "reco_app.serving"
