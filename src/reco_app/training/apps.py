from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "reco_app.training"
    verbose_name = "Training"
    default_auto_field = "django.db.models.BigAutoField"
