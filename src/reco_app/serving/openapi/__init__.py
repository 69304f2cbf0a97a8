"""The OpenAPI 3.1 document of all that reco answers."""

from functools import cache

import msgspec

from reco_app.serving.openapi import intake, recommendations
from reco_app.serving.openapi.parts import KEY
from reco_app.serving.openapi.schemas import schemas


@cache
def document() -> bytes:
    """The document as JSON; the same as long as the process lives."""
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "multireco: recommendations, events and imports",
                "version": "1",
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "paths": {**recommendations.paths(), **intake.paths()},
            "components": {
                "schemas": schemas(),
                "securitySchemes": {
                    KEY: {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "An API key made in the admin; each call names its scope.",
                    }
                },
            },
        }
    )
