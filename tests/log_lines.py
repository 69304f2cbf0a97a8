"""The one form that every line of every log has, as Elasticsearch is told it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

TEMPLATE = Path("deploy/logging/index-template.json")
ALWAYS = {"time", "level", "logger", "component", "message"}
ADDED_ON_THE_WAY = {"@timestamp", "kubernetes"}
LEVELS = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
KINDS: dict[str, tuple[type, ...]] = {
    "date": (str,),
    "keyword": (str,),
    "text": (str,),
    "short": (int,),
    "long": (int,),
    "double": (int, float),
    "boolean": (bool,),
}


def fields() -> dict[str, str]:
    """Name → type of what a line may have."""
    template: dict[str, Any] = json.loads(TEMPLATE.read_text())
    properties = template["template"]["mappings"]["properties"]
    return {name: told["type"] for name, told in properties.items() if name not in ADDED_ON_THE_WAY}


def faults(line: str) -> list[str]:
    """What of this line is not as all lines are."""
    try:
        told = json.loads(line)
    except json.JSONDecodeError:
        return [f"not JSON: {line}"]
    known = fields()
    found = [f"lacks {name}: {line}" for name in ALWAYS - told.keys()]
    for name, value in told.items():
        kinds = KINDS.get(known.get(name, ""), ())
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            found.append(f"{name} is {value!r}: {line}")
    if found:
        return found
    if told["level"] not in LEVELS or datetime.fromisoformat(told["time"]).tzinfo is None:
        return [f"level or time: {line}"]
    return []
