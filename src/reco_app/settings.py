"""The only reader of reco's environment, and Django's settings made from it."""

from functools import cache
from pathlib import Path
from typing import Any

import psycopg2.extensions
from pydantic import Field

from runtime.settings import RuntimeSettings, read


class Settings(RuntimeSettings):
    """What differs between deployments of reco."""

    database_url: str = Field(description="PostgreSQL of reco: postgresql://user@host:port/name")
    broker_url: str = Field(description="Celery's broker: amqp:// or redis://")
    model_dir: Path = Field(description="Folder of the model store, shared by all processes")
    catalog_url: str = Field("", description="Base URL of catalog; empty when mounted beside it")
    profile_url: str = Field("", description="Base URL of profile; empty when mounted beside it")
    event_retention_days: int = Field(90, ge=1, description="Raw events are dropped after this")
    event_archive_days: int = Field(365, ge=1, description="Training's copy is deleted after this")
    network_sessions_per_hour: int = Field(
        1000, ge=1, description="Sessions of one network that count; ten times as many events"
    )
    network_product_sessions_per_hour: int = Field(
        30, ge=1, description="More of one network at one product are a burst"
    )
    spark_master: str = Field("", description="Spark that counts the events; empty: DuckDB here")
    answer_cache_seconds: float = Field(
        2.0, ge=0, le=2, description="How long an answer may be given again; 0: never"
    )
    currency: str = Field("USD", description="ISO 4217 code of every price of this installation")
    allowed_hosts: str = Field("*", description="Host names that Django answers to, with commas")
    csrf_trusted_origins: str = Field("", description="https:// origins of the admin, with commas")


# A server that vanished (a pulled cable, a lost node) is noticed within ten seconds; without these
# the kernel would wait for a quarter of an hour, and whoever follows the database with it.
_NOTICE_A_LOST_SERVER = {
    "connect_timeout": 2,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


@cache
def current() -> Settings:
    return read(Settings)


def _database(url: str) -> dict[str, Any]:
    """Django's form of a PostgreSQL address; query parameters become connection options."""
    parts = psycopg2.extensions.parse_dsn(url)
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST"}
    known = {names[key]: value for key, value in parts.items() if key in names}
    options = {key: value for key, value in parts.items() if key not in {*names, "port"}}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "PORT": parts.get("port", ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**_NOTICE_A_LOST_SERVER, **options},
        **known,
    }


_settings = current()

SECRET_KEY = _settings.secret_key.get_secret_value()
DEBUG = False
ALLOWED_HOSTS = [host.strip() for host in _settings.allowed_hosts.split(",")]
CSRF_TRUSTED_ORIGINS = [
    origin.strip() for origin in _settings.csrf_trusted_origins.split(",") if origin.strip()
]
ROOT_URLCONF = "reco_app.urls"
ASGI_APPLICATION = "reco_app.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
STATIC_URL = "/static/"
STORAGES = {"staticfiles": {"BACKEND": "reco_app.static_files.Versioned"}}
LOGGING_CONFIG = None  # runtime.logs configures logging, once, for every component
APPEND_SLASH = True
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "rest_framework",
    "import_export",
    "simple_history",
    "django_celery_beat",
    "reco_app.curation",
    "reco_app.events",
    "reco_app.training",
    "reco_app.serving",
    "reco_app.storefront",
]

MIDDLEWARE = [
    "runtime.django.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": _database(_settings.database_url)}

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": _settings.redis_url,
        "OPTIONS": {
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
            "IGNORE_EXCEPTIONS": True,  # a lost cache costs time, never an answer
        },
        "KEY_PREFIX": "django",
    }
}
# Sessions of staff: read through the cache, kept in PostgreSQL.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
# Where staff come over https, their cookies never leave over plain http.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(CSRF_TRUSTED_ORIGINS) and all(
    origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS
)

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}

UNFOLD = {
    "SITE_TITLE": "multireco",
    "SITE_HEADER": "multireco",
    "SITE_SUBHEADER": "Curation",
    "SITE_URL": "/shop/",
    "SITE_SYMBOL": "storefront",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": f"{STATIC_URL}storefront/icon.svg"}
    ],
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "reco_app.curation.admin.dashboard.dashboard",
    "SIDEBAR": {"show_search": True},
}
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
