"""One OpenAPI 3.1 document made of the router's own and those of the three components."""

from collections.abc import Iterator, Mapping
from typing import Any

from runtime.problems import KINDS, MEDIA_TYPE

Document = dict[str, Any]
_REFERENCE = "#/components/"
_SCHEMAS = "#/components/schemas/"
_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "A page that explains the problem."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was asked."},
        "code": {"type": "string", "enum": list(KINDS), "description": "For programs."},
        "request_id": {"type": "string", "description": "Name it when asking the operators."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "A JSON pointer into the body, or ?name for a parameter.",
                    },
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
ANY_PROBLEM: Document = {
    "description": "A problem; `type` names the page that explains it.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def merged(own: Document, components: Mapping[str, Document]) -> Document:
    """The public paths of each component's document and of `own`, and what they refer to.

    A name that two documents give to different things gets its component's name before it; but
    a problem is everywhere the same, however each framework words it.
    """
    result: Document = {**own, "paths": {}, "components": {}, "tags": []}
    result["components"]["schemas"] = {"Problem": _PROBLEM}
    for name, document in {**components, "router": own}.items():
        _join(result, document, name)
    _prune(result)
    for operation in _operations(result):
        # Limits, guards and outages of the edge can answer in place of any call.
        operation["responses"].setdefault("default", ANY_PROBLEM)
    return result


def _join(result: Document, document: Document, component: str) -> None:
    document = _with_the_problem(document)
    renamed = _renamed(result["components"], document, component)
    for section, entries in document.get("components", {}).items():
        known = result["components"].setdefault(section, {})
        for name, entry in entries.items():
            reference = f"{_REFERENCE}{section}/{name}"
            known[renamed.get(reference, reference).rpartition("/")[2]] = _rewritten(entry, renamed)
    for path, item in document.get("paths", {}).items():
        if not path.startswith("/internal/"):
            result["paths"][path] = _tagged(_rewritten(item, renamed), component)
    result["tags"] = _tags(result["tags"], document, component)


def _with_the_problem(document: Document) -> Document:
    components = document.get("components", {})
    if "Problem" not in components.get("schemas", {}):
        return document
    schemas = {**components["schemas"], "Problem": _PROBLEM}
    return {**document, "components": {**components, "schemas": schemas}}


def _renamed(known: Document, document: Document, component: str) -> dict[str, str]:
    """Reference → new reference, for what is known under its name already and means another thing.

    Two schemas of the same words differ where what they refer to does.
    """
    renamed: dict[str, str] = {}
    while True:
        found = {
            f"{_REFERENCE}{section}/{name}": f"{_REFERENCE}{section}/{component.capitalize()}{name}"
            for section, entries in document.get("components", {}).items()
            for name, entry in entries.items()
            if known.get(section, {}).get(name, entry) != _rewritten(entry, renamed)
        }
        if found == renamed:
            return renamed
        renamed = found


def _prune(result: Document) -> None:
    """Drop what nothing public refers to: the shapes of internal paths."""
    needed = {"Problem"}
    found = set(_referred(result["paths"]))
    schemas = result["components"]["schemas"]
    while found - needed:
        needed |= found
        found = {name for known in needed if known in schemas for name in _referred(schemas[known])}
    result["components"]["schemas"] = {
        name: schema for name, schema in schemas.items() if name in needed
    }


def _referred(node: Any) -> Iterator[str]:
    """The names of all schemas that `node` refers to."""
    if isinstance(node, Mapping):
        node = list(node.values())
    if isinstance(node, list):
        for value in node:
            yield from _referred(value)
    elif isinstance(node, str) and node.startswith(_SCHEMAS):
        yield node.removeprefix(_SCHEMAS)


def _rewritten(node: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(node, Mapping):
        return {key: _rewritten(value, renamed) for key, value in node.items()}
    if isinstance(node, list):
        return [_rewritten(value, renamed) for value in node]
    return renamed.get(node, node) if isinstance(node, str) else node


_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")


def _operations(document: Document) -> Iterator[Document]:
    for item in document.get("paths", {}).values():
        for method in _METHODS:
            if method in item:
                yield item[method]


def _tagged(item: Document, component: str) -> Document:
    for method in _METHODS:
        if method in item:
            item[method].setdefault("tags", [component])
    return item


def _tags(known: list[Document], document: Document, component: str) -> list[Document]:
    """`known` and the tags of `document`, whether it lists them or only puts them on calls."""
    listed = {tag["name"]: tag for tag in document.get("tags", [])}
    used = [name for call in _operations(document) for name in call.get("tags", [component])]
    told = {name: listed.get(name, {"name": name}) for name in [*listed, *used]}
    names = {tag["name"] for tag in known}
    return known + [tag for name, tag in told.items() if name not in names]
