"""Where an installed package keeps its files, found without importing it."""

import importlib.util
from pathlib import Path


class NotInstalled(Exception):
    """A package of the demo extra is missing."""


def package_folder(name: str) -> Path:
    """The folder of an installed package. Errors: NotInstalled."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise NotInstalled(f"{name} is missing; it comes with: pip install multireco[demo]")
    return Path(spec.origin).parent
