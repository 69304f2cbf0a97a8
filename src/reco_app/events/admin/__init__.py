"""The admin of events; importing a module registers its models."""

from reco_app.events.admin import quarantine, taken

__all__ = ["quarantine", "taken"]
