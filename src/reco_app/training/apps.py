from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "reco_app.training"
