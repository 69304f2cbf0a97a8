from django.apps import AppConfig


class CurationConfig(AppConfig):
    name = "reco_app.curation"
