"""Shells of the demo shop and of the explorer; the browser fills them from the public API.

No page here reads a store: what a page shows comes from `/v1/…` on the same origin, as it would in
any shop, so every shell is the same for everybody and may be cached. Only a department's page looks
at whether there is such a department, and the explorer at who is asking, to offer staff the
step-by-step explanation.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from reco_app.storefront import departments

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' https:",  # a feed's image_url may name the shop's own image host
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

public = cache_control(public=True, max_age=60)


@require_safe
@public
def home(request: HttpRequest) -> HttpResponse:
    return _shell(request, "home")


@require_safe
def category(request: HttpRequest, category: str) -> HttpResponse:
    if not departments.exists(category.rstrip("/")):
        response = _shell(request, "missing")
        response.status_code = 404
        return response
    response = _shell(request, "category")
    patch_cache_control(response, public=True, max_age=60)
    return response


@require_safe
@public
def product(request: HttpRequest, item_id: str) -> HttpResponse:
    return _shell(request, "product")


@require_safe
@public
def search(request: HttpRequest) -> HttpResponse:
    return _shell(request, "search")


@require_safe
@public
def basket(request: HttpRequest) -> HttpResponse:
    return _shell(request, "basket")


@require_safe
@never_cache
def explore(request: HttpRequest) -> HttpResponse:
    user = request.user
    return _shell(request, "explore", staff=user.is_active and user.is_staff)


def _shell(request: HttpRequest, page: str, **context: bool) -> HttpResponse:
    response = render(request, f"storefront/{page}.html", {"page": page, **context})
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response
