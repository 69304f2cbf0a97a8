"""The admin of events; importing a module registers its models."""

from reco_app.events.admin import dead_letters, quarantine, samples, taken

__all__ = ["dead_letters", "quarantine", "samples", "taken"]
