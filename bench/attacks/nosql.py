"""Operators of MongoDB wherever something can be said: none may come to the server as one."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx2

from bench.attacks.site import Site

OPERATORS = ("$ne", "$gt", "$gte", "$nin", "$where", "$regex", "$exists", "$expr", "$function")
MARK = "zq7"
BODIES: dict[str, dict[str, Any]] = {
    "/v1/recommendations": {
        "items": [{"item_id": "pasta-3", "event_type": "view", "quantity": 1}],
        "scenario": "session",
        "profile": "x",
        "filter": {"category": ["Grocery"], "brand": ["Maker 1"], "price_max": "30.00"},
        "exclude_ids": ["pasta-4"],
        "fields": ["title"],
        "session_id": "s",
    },
    "/v1/events": {"events": [{"event_id": "e", "event_type": "view", "item_id": "pasta-3"}]},
    "/v1/products:batch": {"ids": ["pasta-3"]},
    "/v1/profiles:match": {"item_ids": ["pasta-3"]},
    "/v1/batch": {
        "requests": [
            {
                "id": "a",
                "method": "POST",
                "path": "/v1/products:batch",
                "body": {"ids": ["pasta-3"]},
            }
        ]
    },
}
PARAMETERS = {
    "/v1/recommendations": ("item", "scenario", "count", "category", "brand", "price_min"),
    "/v1/products": ("q", "category", "brand", "price_min", "in_stock", "sort", "limit", "cursor"),
    "/v1/profiles": ("cursor", "limit"),
}
NAMED = ("/v1/products/", "/v1/profiles/", "/v1/preferences/", "/v1/recommendations/")


def attack(site: Site) -> dict[str, float]:
    """reached: commands at the server with an operator that was sent; asked: requests."""
    site.mongodb.begin()
    asked = failed = 0
    with httpx2.Client(base_url=site.gateway, trust_env=False, timeout=20) as client:
        client.headers.update(site.shop.key("events", "staff"))
        for operator in OPERATORS:
            for request in _requests(client, operator):
                failed += client.send(request).status_code >= 500
                asked += 1
        client.post("/v1/products:batch", json={"ids": [f"{MARK}-heard"]})
    commands = list(site.mongodb.commands)
    if not any(f"{MARK}-heard" in str(command) for command in commands):
        raise RuntimeError("the tap did not hear what was asked of MongoDB")
    reached = [command for command in commands if any(_operators(command))]
    return {
        "nosql.reached": float(len(reached)),
        "nosql.server_errors": float(failed),
        "nosql.asked": float(asked),
        "nosql.commands": float(len(commands)),
    }


def _requests(client: httpx2.Client, operator: str) -> Iterator[httpx2.Request]:
    value = {operator: f"{MARK}{operator}"}
    text = json.dumps(value)
    for path, body in BODIES.items():
        for poisoned in _poisoned(body, value):
            yield client.build_request("POST", path, json=poisoned)
    for path, names in PARAMETERS.items():
        for name in names:
            yield client.build_request("GET", path, params={name: text})
            yield client.build_request("GET", f"{path}?{name}[{operator}]={value[operator]}")
    for path in NAMED:
        yield client.build_request("GET", path + quote(text, safe=""))
        yield client.build_request("GET", f"{path}x?{operator}={value[operator]}")


def _poisoned(body: Any, value: dict[str, str]) -> Iterator[Any]:
    """The body with the operator in each place: for a value, in its text, and as one key more."""
    if isinstance(body, dict):
        yield body | value
        for name, inner in body.items():
            for each in _poisoned(inner, value):
                yield {**body, name: each}
    elif isinstance(body, list):
        for place, inner in enumerate(body):
            for each in _poisoned(inner, value):
                yield [*body[:place], each, *body[place + 1 :]]
        yield [*body, value]
    else:
        yield json.dumps(value)
    yield value


def _operators(command: Any) -> Iterator[str]:
    """Keys that are an operator over what was sent with that operator."""
    if isinstance(command, dict):
        for name, inner in command.items():
            if name in OPERATORS and f"{MARK}{name}" in str(inner):
                yield name
            yield from _operators(inner)
    elif isinstance(command, list):
        for inner in command:
            yield from _operators(inner)
