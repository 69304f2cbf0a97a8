"""Every alert fires where it should, says what to do, and is the same in a cluster."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import servers

FOLDER = Path("deploy/prometheus")
RULES = ("objectives", "symptoms")
RUNBOOKS = Path("docs/runbooks")


def _groups() -> list[dict[str, Any]]:
    return [
        group
        for name in RULES
        for group in yaml.safe_load((FOLDER / f"{name}.yaml").read_text())["groups"]
    ]


def _alerts() -> list[dict[str, Any]]:
    return [rule for group in _groups() for rule in group["rules"] if "alert" in rule]


def _tested(*, firing: bool) -> set[str]:
    return {
        check["alertname"]
        for name in RULES
        for test in yaml.safe_load((FOLDER / f"{name}.test.yaml").read_text())["tests"]
        for check in test["alert_rule_test"]
        if bool(check.get("exp_alerts")) is firing
    }


def test_a_cluster_has_the_rules_of_compose() -> None:
    rule = yaml.safe_load(Path("k8s/components/monitoring/rules.yaml").read_text())
    assert rule["spec"] == {"groups": _groups()}


def _titled() -> dict[str, Path]:
    """Alert → the page that has its name in the title; there are pages for other work, too."""
    titles = ((re.match(r"# (\w+): ", page.read_text()), page) for page in RUNBOOKS.glob("*.md"))
    return {title[1]: page for title, page in titles if title}


def test_every_alert_leads_to_its_page_and_every_page_to_an_alert() -> None:
    named = {alert["alert"]: Path(alert["annotations"]["runbook"]) for alert in _alerts()}
    assert named == _titled()


@pytest.mark.parametrize("page", sorted(_titled().values()), ids=lambda page: page.stem)
def test_a_page_says_how_to_tell_mend_and_verify(page: Path) -> None:
    assert re.findall(r"^## (.*)$", page.read_text(), re.M) == ["Tell", "Mend", "Verify"]


def test_alerts_and_panels_ask_for_metrics_of_the_table_alone() -> None:
    table = Path("docs/metrics.md").read_text()
    told = set(re.findall(r"^\| `(multireco_\w+)` \|", table, re.M))
    asking = [FOLDER / f"{name}.yaml" for name in RULES]
    asking += Path("deploy/grafana/dashboards").glob("*.json")
    asked = {
        name
        for page in asking
        for name in re.findall(r"\bmultireco_\w+", page.read_text())
        if not name.startswith("multireco_process_")  # of the client library
    }
    assert {
        name for name in asked if re.sub(r"_(bucket|sum|count)$", "", name) not in told
    } == set()


def test_every_alert_is_seen_to_fire_and_to_keep_still() -> None:
    names = {alert["alert"] for alert in _alerts()}
    assert _tested(firing=True) == names
    assert _tested(firing=False) == names


@pytest.mark.debian
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["promtool", "test", "rules", f"{FOLDER}/{name}.test.yaml"], id=name)
        for name in RULES
    ]
    + [pytest.param(["amtool", "check-config", f"{FOLDER}/alertmanager.yaml"], id="alertmanager")],
)
def test_prometheus_own_tools_find_no_fault(command: list[str]) -> None:
    servers.need("Prometheus", "Alertmanager")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
