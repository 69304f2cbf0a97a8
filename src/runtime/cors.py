"""Which browsers' pages may call the API: those of the origins that the shop has listed."""

from starlette.middleware.cors import CORSMiddleware

from runtime import settings
from runtime.asgi import ASGIApp

METHODS = ("GET", "POST", "DELETE")
REQUEST_HEADERS = ("Authorization", "Content-Type", "If-None-Match", "X-Request-ID", "traceparent")
ANSWER_HEADERS = (
    "ETag",
    "Link",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
)


def allow_listed_origins(app: ASGIApp) -> ASGIApp:
    """`app` answering preflights and naming the origin; as it is where none is listed."""
    origins = settings.current().cors_origins
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=REQUEST_HEADERS,
        expose_headers=ANSWER_HEADERS,
    )
