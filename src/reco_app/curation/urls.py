from django.urls import path

from reco_app.curation import api

urlpatterns = [path("v1/imports/products", api.ProductFeed.as_view())]
