"""Between the processes of the split system nobody is answered who shows no certificate."""

import os
import re
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
import yaml

from runtime.local.gateway import Listening
from runtime.local.gateway import gateway as start_gateway
from runtime.local.processes import ROOT
from runtime.local.secured import shown
from runtime.local.servers import free_port
from tests import debian, servers
from tests.shops import Shop

METRICS = ROOT / "docs/metrics.md"
ROLES = ("router", "profile", "catalog", "reco", "relay", "worker")


def alive(shop: Shop, role: str) -> str:
    return f"https://127.0.0.1:{shop.ports[role]}/livez"


def certificate(shop: Shop, role: str) -> str:
    """What the process of this role shows by now."""
    return ssl.get_server_certificate(("127.0.0.1", shop.ports[role]))


@pytest.mark.parametrize("role", ROLES)
def test_who_shows_a_certificate_is_answered_and_who_shows_none_is_not(gateway, role):
    known = httpx2.get(alive(gateway, role), verify=gateway.authority.asking())
    assert known.json()["status"] == "alive"
    with pytest.raises(httpx2.TransportError):
        httpx2.get(alive(gateway, role))


@pytest.mark.parametrize("role", ROLES)
def test_plain_http_is_not_answered(gateway, role):
    with pytest.raises(httpx2.TransportError):
        httpx2.get(alive(gateway, role).replace("https", "http"))


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
@pytest.mark.parametrize("role", ROLES)
def test_the_images_health_check_asks_with_the_process_own_certificate(gateway, role, path):
    own = {
        "PORT": str(gateway.ports[role]),
        "MULTIRECO_TLS_DIR": str(gateway.authority.folder(role)),
    }
    command = [sys.executable, str(ROOT / "deploy/healthcheck.py"), path]
    subprocess.run(command, env={**os.environ, **own}, check=True)


@pytest.mark.parametrize("role", ROLES)
def test_a_new_certificate_is_shown_without_a_restart(gateway, role):
    first = certificate(gateway, role)
    gateway.authority.issue(role)
    assert certificate(gateway, role) != first
    assert httpx2.get(gateway.url("/v1/products")).status_code == 200


def test_prometheus_gets_the_figures_of_all_with_the_lines_that_the_documents_tell(
    gateway: Shop, tmp_path: Path
) -> None:
    servers.need("Prometheus")
    told = re.search(r"```yaml\n(    scheme: https.+?)```", METRICS.read_text(), re.DOTALL)
    own = str(gateway.authority.folder("prometheus"))
    lines = yaml.safe_load(told[1].replace("/etc/prometheus/tls", own))
    addresses = {role: f"127.0.0.1:{gateway.ports[role]}" for role in ROLES}
    nobody = {"gateway-figures": f"127.0.0.1:{free_port()}"}
    with debian.prometheus(tmp_path / "prometheus", addresses | nobody, lines) as prometheus:
        query, seen, deadline = {"query": 'up{job="multireco"}'}, {}, time.monotonic() + 60
        while set(seen) != set(ROLES) and time.monotonic() < deadline:
            time.sleep(0.5)
            found = httpx2.get(f"{prometheus}/api/v1/query", params=query).json()["data"]["result"]
            seen = {one["metric"]["role"]: one["value"][1] for one in found}
    assert seen == dict.fromkeys(ROLES, "1")


def test_the_gateway_asks_no_component_whose_certificate_names_another(
    gateway: Shop, tmp_path: Path
) -> None:
    port = free_port()
    addresses = {role: f"127.0.0.1:{gateway.ports[role]}" for role in ROLES}
    misled = addresses | {"catalog": addresses["profile"]}
    listening = Listening(free_port(), free_port(), port)
    server = start_gateway(tmp_path / "nginx", misled, listening, shown=shown(gateway.authority))
    try:
        server.wait_until_ready()
        assert httpx2.get(f"https://localhost:{port}/v1/profiles").status_code == 200
        assert httpx2.get(f"https://localhost:{port}/v1/products").status_code == 503
    finally:
        server.stop()
