"""Pages that people see: the demo shop and the explorer."""

from django.urls import path

from reco_app.storefront import views

urlpatterns = [
    path("shop/", views.home, name="shop-home"),
    path("shop/c/<path:category>", views.category, name="shop-category"),
    path("shop/p/<str:item_id>", views.product, name="shop-product"),
    path("shop/search", views.search, name="shop-search"),
    path("shop/basket", views.basket, name="shop-basket"),
    path("explore/", views.explore, name="explore"),
]
