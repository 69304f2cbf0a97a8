from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    name = "reco_app.storefront"
