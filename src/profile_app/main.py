"""Wires the profile component up: `profile_app.main:app` is its WSGI application."""

import logging
from collections.abc import Mapping

import orjson
from flask import Flask, Response
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI

from profile_app import contracts, document, migrate, requests, settings, store
from profile_app.api import public
from profile_app.internal import BODY_LIMIT_BYTES, PREFIX, internal
from runtime import flask, logs, tracing
from runtime.problems import Problem

log = logging.getLogger(__name__)

COMPONENT = "profile"
BODY_LIMITS = {PREFIX: BODY_LIMIT_BYTES}
RETRY_AFTER_SECONDS = 2

INFO = Info(
    title="multireco profiles",
    version="1",
    description="Preference profiles: named, non-personal tastes that recommendations can lean "
    "towards, and what the shoppers of a product prefer.",
)


def make_app() -> Flask:
    """The component, ready to serve; touches no store."""
    app = OpenAPI(
        __name__,
        info=INFO,
        doc_ui=False,
        validation_error_model=contracts.Problem,
        validation_error_callback=requests.refuse_invalid,
        static_folder=None,
    )
    app.request_class = requests.JsonRequest
    app.json = requests.Json(app)
    app.url_map.merge_slashes = False  # a doubled slash is a misspelt path, not a redirect
    flask.install(app, component=COMPONENT, readiness=readiness)
    app.register_error_handler(store.Unavailable, _unavailable)
    app.register_api(public)
    app.register_api(internal)
    published = orjson.dumps(document.exact(app.api_doc))
    app.add_url_rule(
        f"/openapi/{COMPONENT}.json",
        "openapi",
        lambda: Response(published, mimetype="application/json"),
    )
    return app


def readiness() -> Mapping[str, str]:
    """Without its database, or before its migrations, the component can answer nothing."""
    try:
        migrated = migrate.done()
    except store.Unavailable:
        migrated = False
    return {"postgresql": "ok" if migrated else "unready"}


def _unavailable(trouble: store.Unavailable) -> Response:
    log.warning("answered 503, PostgreSQL is not available: %s", trouble)
    wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return flask.answer(
        Problem("unavailable", "The profiles are away; try again soon.", headers=wait)
    )


logs.configure(COMPONENT, settings.current().log_level)
tracing.configure(COMPONENT)
app = make_app()
