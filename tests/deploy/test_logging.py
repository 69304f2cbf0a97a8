"""Every line of every role and of NGINX has one form, and is found again where it is stored."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from osmem_server import OsmemServer

from runtime import logs
from runtime.local import stores
from runtime.local.processes import ROOT, Processes, start_split
from runtime.local.servers import free_port
from tests import debian, log_lines, servers
from tests.components import answering

FOLDER = ROOT / "deploy/logging"
SERVING = ("router", "profile", "catalog", "reco")
ENDING = ("migrate", "retention")
LIVING = (*SERVING, "worker", "relay", "beat", *ENDING)
ROLES = (*LIVING, "train")  # which compiles the engine first, and writes as the other commands do
OF_THE_GATEWAY = {"cache", "upstream"}


def run(role: str, environment: dict[str, str]) -> str:
    """What a role that ends has written by then."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    without = {name: told for name, told in os.environ.items() if not name.startswith("MULTIRECO_")}
    return subprocess.run(
        ["/bin/sh", str(ROOT / "deploy/entrypoint.sh"), role],
        env={**without, **environment, "PATH": path, "PORT": str(free_port())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    ).stdout


@pytest.fixture(scope="module")
def lines(shop_folders: Path) -> list[str]:
    """All that the roles and NGINX write from their start to their end, some requests between."""
    servers.need("NGINX")
    folder = shop_folders / "logged"
    with stores.embedded(folder, given={}) as given:
        environment = {
            **given,
            "MULTIRECO_SECRET_KEY": "k" * 40,
            "MULTIRECO_MODEL_DIR": str(folder / "models"),
        }
        told = {role: run(role, environment) for role in ENDING}
        with Processes(environment, folder / "logs") as processes:
            ports = start_split(processes, port=free_port())
            for role in SERVING:
                processes.running[role].wait_until_ready(90)
            addresses = {role: f"127.0.0.1:{port}" for role, port in ports.items()}
            with debian.gateway(folder / "nginx", addresses) as gateway:
                asked(gateway)
                time.sleep(1)
        told |= {path.stem: path.read_text() for path in (folder / "logs").glob("*.log")}
    told["gateway"] = (folder / "nginx/output.log").read_text()
    assert told.keys() == {*LIVING, "gateway"}
    assert {role for role in told if not told[role]} <= {"relay"}  # it may have nothing to tell
    told["train"] = run("train", {})  # a fault
    return [line for text in told.values() for line in text.splitlines()]


def asked(gateway: str) -> None:
    """A few requests: good, wrong, unknown and unwelcome ones."""
    with httpx2.Client(base_url=gateway) as client:
        for path in ("/v1/products", "/v1/profiles", "/v1/recommendations", "/docs", "/nowhere"):
            client.get(path)
        client.post("/v1/events", content=b"{")
        client.request("CANARY", "/v1/products")
        client.get("/metrics")


def test_every_line_has_the_one_form(lines):
    assert [fault for line in lines for fault in log_lines.faults(line)] == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_cannot_start_says_why_in_that_form(role):
    told = run(role, {}).splitlines()
    assert [fault for line in told for fault in log_lines.faults(line)] == []
    assert "MULTIRECO_" in "".join(told)


def test_the_store_is_told_of_every_field_and_of_no_other():
    assert log_lines.fields().keys() == logs.FIELDS | OF_THE_GATEWAY


def test_fluent_bit_takes_real_lines_out_of_the_engines_files_as_they_are(lines):
    (parser,) = yaml.safe_load((FOLDER / "parsers.yaml").read_text())["parsers"]
    assert parser == {"name": "line", "format": "json"}
    pipeline = yaml.safe_load((FOLDER / "fluent-bit.yaml").read_text())["pipeline"]
    taken = pipeline["filters"][-1]
    assert (taken["name"], taken["parser"]) == ("parser", parser["name"])
    for line in lines:
        kept_by_the_engine = json.dumps({"log": f"{line}\n", "stream": "stdout", "time": "…"})
        assert json.loads(json.loads(kept_by_the_engine)[taken["key_name"]]) == json.loads(line)


@pytest.fixture(scope="module")
def store(lines: list[str]) -> Iterator[OsmemServer]:
    """All these lines in a store that speaks as Elasticsearch does, without its data streams."""
    template = json.loads((FOLDER / "index-template.json").read_text())
    del template["template"]["settings"]["index.lifecycle.name"], template["data_stream"]
    with OsmemServer.start(japanese=False) as server:
        server.request("PUT", "/_index_template/multireco", template)
        at = {"@timestamp": "2026-11-30T12:00:00Z"}
        pairs = [('{"create":{}}', json.dumps(json.loads(line) | at)) for line in lines]
        body = "".join(f"{one}\n{other}\n" for one, other in pairs).encode()
        request = urllib.request.Request(
            f"{server.url}/multireco-logs/_bulk?refresh=true",
            data=body,
            headers={"Content-Type": "application/x-ndjson"},
        )
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["errors"] is False
        yield server
    server.process.stdout.close()  # which it leaves open


def test_the_saved_search_finds_the_faults_and_nothing_else(store, lines):
    *_, saved = (json.loads(line) for line in (FOLDER / "kibana.ndjson").read_text().splitlines())
    source = json.loads(saved["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    found = search(store, {"query_string": {"query": source["query"]["query"]}})
    known = [json.loads(line) for line in lines]
    bad = [
        line
        for line in known
        if line["level"] in ("ERROR", "CRITICAL") or line.get("status", 0) >= 500
    ]
    assert 0 < len(bad) < len(lines)
    assert found == len(bad)


def test_a_request_is_found_by_its_trace_in_the_gateway_and_behind_it(store, lines):
    of_gateway = [json.loads(line) for line in lines if '"component":"gateway"' in line]
    trace_id = next(line["trace_id"] for line in of_gateway if line.get("upstream"))
    assert search(store, {"term": {"trace_id": trace_id}}) >= 2


def test_what_kibana_shows_and_sorts_by_is_stored():
    view, saved = (json.loads(line) for line in (FOLDER / "kibana.ndjson").read_text().splitlines())
    assert view["attributes"]["timeFieldName"] in log_lines.fields()
    assert set(saved["attributes"]["columns"]) <= log_lines.fields().keys()
    assert saved["references"][0]["id"] == view["id"]


def test_lines_are_deleted_after_two_weeks():
    """Elasticsearch's own affair, which no store here knows: the shape alone."""
    phases = json.loads((FOLDER / "lifecycle.json").read_text())["policy"]["phases"]
    template = json.loads((FOLDER / "index-template.json").read_text())
    assert phases["delete"] == {"min_age": "14d", "actions": {"delete": {}}}
    assert "rollover" in phases["hot"]["actions"]
    named = template["template"]["settings"]["index.lifecycle.name"]
    assert f"_ilm/policy/{named} lifecycle.json" in (FOLDER / "setup.sh").read_text()


PASSWORD = 'a "b" $c\\:'
USER = {"ELASTICSEARCH_USER": "shop", "ELASTICSEARCH_PASSWORD": PASSWORD}
SHOWN = f"Basic {b64encode(f'shop:{PASSWORD}'.encode()).decode()}"


@pytest.mark.parametrize(("user", "told"), [({}, None), (USER, SHOWN)], ids=["open", "closed"])
def test_elasticsearch_and_kibana_are_told_all_by_the_user_that_is_given(user, told):
    with answering() as there:
        url = f"http://127.0.0.1:{there.server_port}"
        places = {"ELASTICSEARCH_URL": url, "KIBANA_URL": url}
        subprocess.run(
            ["/bin/sh", str(FOLDER / "setup.sh")], env={**os.environ, **places, **user}, check=True
        )
    assert there.paths == [
        "/_ilm/policy/multireco",
        "/_index_template/multireco",
        "/api/saved_objects/_import?overwrite=true",
    ]
    assert [asked.get("authorization") for asked in there.asked] == [told] * 3


def search(store: OsmemServer, query: dict[str, Any]) -> int:
    body = {"query": query, "track_total_hits": True}
    found: int = store.request("POST", "/multireco-logs/_search", body)["hits"]["total"]["value"]
    return found
