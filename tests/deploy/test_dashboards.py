"""Every panel shows something of a shop at work, in a real Prometheus; metrics have words."""

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from runtime.local.servers import free_port
from tests import debian, servers
from tests.shops import Shop

pytestmark = [pytest.mark.debian, pytest.mark.timeout(900)]
DASHBOARDS = sorted(Path("deploy/grafana/dashboards").glob("*.json"))
PANELS = [
    pytest.param(target["expr"], id=f"{path.stem}: {panel['title']} {target['refId']}")
    for path in DASHBOARDS
    for panel in json.loads(path.read_text())["panels"]
    for target in panel["targets"]
]
ROLES = ("router", "profile", "catalog", "reco", "relay", "worker")
WINDOW = "1m"
ROUNDS, SECONDS = 100, 25
RESTOCKED = {30: "out_of_stock", 50: "in_stock"}  # in which round
ONE, OTHER = "wine-3", "soap-5"  # not those whose sessions other tests count
# Of the client library itself, and of what reads a gateway.
FOREIGN = re.compile(r"multireco_process_|nginx_|nginxexporter_|go_|promhttp_|process_")


@pytest.fixture(scope="module")
def prometheus(split: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """Prometheus with what compose gives it, once it has seen a shop at work for some seconds."""
    servers.need("NGINX", "Prometheus", "NGINX exporter")
    folder = tmp_path_factory.mktemp("eyes")
    status = free_port()
    addresses = {role: f"127.0.0.1:{port}" for role, port in split.ports.items()}
    with (
        debian.gateway(folder / "nginx", addresses, status_port=status) as gateway,
        debian.nginx_exporter(folder / "exporter", status_port=status) as exporter,
        debian.prometheus(
            folder / "prometheus", addresses | {"gateway-figures": exporter}
        ) as address,
        httpx2.Client(base_url=address, timeout=30) as client,
    ):
        while not _asked(client, "up"):
            time.sleep(0.5)
        _visit(split._replace(address=gateway))
        yield client


def _visit(shop: Shop) -> None:
    """Ask for all there is, and tell events, while a product is sold out and comes back."""
    began = time.monotonic()
    with httpx2.Client(base_url=shop.address, timeout=30) as client:
        profile = client.get("/v1/profiles").json()["profiles"][0]["slug"]
        for number in range(ROUNDS):
            if number in RESTOCKED:
                _change(shop, RESTOCKED[number])
            _look_around(client, number, profile)
            _tell(client, shop)
            time.sleep(max(0.0, began + number * SECONDS / ROUNDS - time.monotonic()))


def _change(shop: Shop, availability: str) -> None:
    change = f"lambda row: row.update(availability='{availability}')"
    shop.run(
        *(sys.executable, "manage.py", "shell", "-c"),
        "from reco_app.curation import store; "
        f"store.change_products(['honey-9'], change={change}, reason='', user_id=None)",
    )


def _look_around(client: httpx2.Client, number: int, profile: str) -> None:
    items = [{"item_id": f"pasta-{number % 10 + 1}"}, {"item_id": f"wine-{number // 10 % 10 + 1}"}]
    for more in ({}, {"scenario": "basket"}, {"profile": profile}, {"diversity": 0.5}):
        told = client.post("/v1/recommendations", json={"items": items, "count": 5, **more})
        assert told.status_code == 200, told.text
    for path in ("/v1/recommendations?item=wine-1", "/v1/products?limit=5", "/v1/categories"):
        assert client.get(path).status_code == 200


def _tell(client: httpx2.Client, shop: Shop) -> None:
    session = uuid4().hex
    events = [
        {"event_id": uuid4().hex, "session_id": session, "event_type": "view", "item_id": item}
        for item in (ONE, OTHER)
    ]
    told = client.post(
        "/v1/events", json={"events": events, "consent": True}, headers=shop.key("events")
    )
    assert told.status_code == 202, told.text


def _asked(client: httpx2.Client, query: str) -> list[dict[str, Any]]:
    told = client.get("/api/v1/query", params={"query": query}).json()
    assert told["status"] == "success", told
    result: list[dict[str, Any]] = told["data"]["result"]
    return result


@pytest.mark.parametrize("query", PANELS)
def test_a_panel_shows_something(prometheus: httpx2.Client, query: str) -> None:
    shown = _asked(prometheus, query.replace("$__rate_interval", WINDOW))
    assert shown
    assert any(one["value"][1] != "NaN" for one in shown)


def test_every_process_is_asked_for_its_figures(prometheus: httpx2.Client) -> None:
    up = _asked(prometheus, 'up{job="multireco"}')
    assert {one["metric"]["role"]: one["value"][1] for one in up} == dict.fromkeys(ROLES, "1")


def test_no_rule_of_a_shop_that_is_well_fails_or_fires(prometheus: httpx2.Client) -> None:
    groups = prometheus.get("/api/v1/rules").json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}
    assert [rule["name"] for rule in rules if rule.get("state") == "firing"] == []


def test_events_are_seen_to_be_felt_within_five_seconds(prometheus: httpx2.Client) -> None:
    felt = _asked(prometheus, 'sum(multireco_event_to_effect_seconds_bucket{le="5.0"})')
    assert float(felt[0]["value"][1]) > 10


def test_the_table_of_metrics_tells_of_all_and_of_nothing_else(prometheus: httpx2.Client) -> None:
    told = prometheus.get("/api/v1/metadata").json()["data"]
    there = {(name, kinds[0]["type"]) for name, kinds in told.items() if not FOREIGN.match(name)}
    rows = re.findall(
        r"^\| `(multireco_\w+)` \| (\w+) \|", Path("docs/metrics.md").read_text(), re.M
    )
    assert set(rows) == there


def test_the_table_of_metrics_names_every_label(prometheus: httpx2.Client) -> None:
    table = Path("docs/metrics.md").read_text()
    labels = dict(re.findall(r"^\| `(multireco_\w+)` \| \w+ \| ([^|]*) \|", table, re.M))
    ours = _asked(prometheus, '{__name__=~"multireco_.*",job="multireco"}')
    added = {"__name__", "job", "instance", "role", "le"}
    for one in ours:
        name = one["metric"]["__name__"]
        base = name if name in labels else re.sub(r"_(total|bucket|sum|count|created)$", "", name)
        if base in labels:
            assert set(one["metric"]) - added <= set(re.findall(r"`(\w+)`", labels[base])), name
