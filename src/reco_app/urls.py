"""Every public path of reco, area by area."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("reco_app.serving.urls")),
    path("", include("reco_app.events.urls")),
    path("", include("reco_app.curation.urls")),
    path("", include("reco_app.storefront.urls")),
    path("admin/", admin.site.urls),
]
