"""The admin of curation; importing a module registers its models."""

from reco_app.curation.admin import (
    dashboard,
    keys,
    outbox,
    placements,
    products,
    profiles,
    rules,
    staff,
)

__all__ = ["dashboard", "keys", "outbox", "placements", "products", "profiles", "rules", "staff"]
