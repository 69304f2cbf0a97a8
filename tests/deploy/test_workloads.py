"""Each role of the image runs somewhere, and nothing runs that is no role."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from profile_app import store
from reco_app import worker
from runtime import metrics, overload

ROLES = set(
    re.search(r"entrypoint\.sh (\S+)\}", Path("deploy/entrypoint.sh").read_text())[1].split("|")
) - {"all"}
KINDS = {"Deployment", "Job", "CronJob"}


def _documents() -> list[dict[str, Any]]:
    """All of k8s/base but what is laid over others."""
    return [
        document
        for path in Path("k8s/base").glob("*.yaml")
        if not path.name.startswith(("every-", "kustomization"))
        for document in yaml.safe_load_all(path.read_text())
    ]


def _named(*kinds: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in _documents() if each["kind"] in kinds}


def _workloads() -> dict[str, dict[str, Any]]:
    """Name → manifest, of what runs in k8s/base."""
    return _named(*KINDS)


def _pod(workload: dict[str, Any]) -> dict[str, Any]:
    spec = workload["spec"].get("jobTemplate", workload)["spec"]
    pod: dict[str, Any] = spec["template"]["spec"]
    return pod


def _services() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load(Path("deploy/compose.yaml").read_text())[
        "services"
    ]
    return services


def test_every_role_has_one_workload_in_the_cluster() -> None:
    assert set(_workloads()) == ROLES | {"gateway"}


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_workload_starts_its_role(role: str) -> None:
    pod = _pod(_workloads()[role])
    started = [each.get("args") for each in [*pod.get("initContainers", []), *pod["containers"]]]
    assert [role] in started


def test_every_role_has_one_service_in_compose() -> None:
    own = {
        name: service
        for name, service in _services().items()
        if service["image"] == "multireco:local"
    }
    assert {name: service["command"] for name, service in own.items()} == {
        role: [role] for role in ROLES
    }


def test_every_setting_can_be_given_to_compose() -> None:
    page = Path("docs/configuration.md").read_text()
    documented = set(re.findall(r"^\| `(MULTIRECO_[A-Z_]+)`", page, re.MULTILINE))
    of_the_image = {"MULTIRECO_MODEL_DIR"}
    of_clusters = {"MULTIRECO_TLS_DIR", "MULTIRECO_SPARK_MASTER"}
    given = set(_services()["reco"]["environment"])
    assert documented - of_the_image - of_clusters <= given


@pytest.mark.parametrize("name", sorted(_services()))
def test_every_service_of_compose_is_bounded(name: str) -> None:
    assert {"mem_limit", "cpus"} <= _services()[name].keys()


def test_every_service_of_compose_that_stays_tells_its_health() -> None:
    silent = {
        name
        for name, service in _services().items()
        if service.get("healthcheck", {}).get("disable")
    }
    assert silent == {"migrate", "train", "retention", "gateway-figures"}
    without_any = {
        name
        for name, service in _services().items()
        if service["image"] != "multireco:local" and "healthcheck" not in service
    }
    assert without_any == {"fluent-bit", "logs-setup"}  # an image without a shell; one that ends


def test_whoever_keeps_something_in_postgresql_waits_for_its_schema() -> None:
    deployments = _named("Deployment")
    keeping = {
        name
        for name, each in deployments.items()
        if "uses-postgres" in each["spec"]["template"]["metadata"]["labels"]
    }
    waiting = {
        name
        for name, each in deployments.items()
        if "waits-for" in each["metadata"].get("labels", {}) or "initContainers" in _pod(each)
    }
    assert waiting == keeping


def test_whoever_signs_the_public_certificate_is_let_in_to_the_challenge() -> None:
    component = Path("k8s/components/cert-manager")
    (policy,) = yaml.safe_load_all((component / "challenges.yaml").read_text())
    assert "challenges.yaml" in (component / "kustomization.yaml").read_text()
    assert policy["spec"] == {
        "podSelector": {"matchLabels": {"acme.cert-manager.io/http01-solver": "true"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"protocol": "TCP", "port": 8089}]}],
    }


@pytest.mark.parametrize("role", ["worker", "beat"])
def test_compose_looks_for_the_file_that_a_role_touches(role: str) -> None:
    *_, command = _services()[role]["healthcheck"]["test"]
    assert f" /tmp/{worker.alive(role).name} " in command


def test_who_waits_for_no_store_is_restarted_when_it_hangs() -> None:
    watched = {
        name
        for name, each in _named("Deployment").items()
        if "livenessProbe" in _pod(each)["containers"][0]
    }
    assert watched == set(_named("Deployment")) - {"worker", "beat"}


def test_the_gateway_finds_the_pods_of_each_component_in_dns() -> None:
    main = _pod(_workloads()["gateway"])["containers"][0]
    given = {each["name"]: each["value"] for each in main["env"]}
    documents = list(yaml.safe_load_all(Path("k8s/base/gateway.yaml").read_text()))
    for role in ("router", "reco", "catalog", "profile"):
        address = given[f"{role.upper()}_ADDRESS"]
        assert address == f"{role}-pods.multireco.svc.cluster.local:8000 resolve"
        (pods,) = (each for each in documents if each["metadata"]["name"] == f"{role}-pods")
        assert pods["spec"]["clusterIP"] == "None"
        assert pods["spec"]["selector"] == {"app.kubernetes.io/component": role}


def test_every_file_of_the_base_is_used() -> None:
    listed = yaml.safe_load(Path("k8s/base/kustomization.yaml").read_text())
    used = {*listed["resources"], *(patch["path"] for patch in listed["patches"])}
    there = {path.name for path in Path("k8s/base").iterdir()} - {"kustomization.yaml"}
    assert there == {name for name in used if not name.startswith("..")}


def test_what_pods_are_scaled_by_is_what_they_tell() -> None:
    told = {family.name for family in metrics.registry.collect()}
    assert overload.gate is not None  # it has registered by now
    asked = [
        metric["pods"]["metric"]["name"]
        for autoscaler in _named("HorizontalPodAutoscaler").values()
        for metric in autoscaler["spec"]["metrics"]
        if metric["type"] == "Pods"
    ]
    assert len(asked) == 4
    assert set(asked) <= told


def test_every_deployment_but_the_one_of_one_pod_has_a_budget_for_disruption() -> None:
    budgets = _named("PodDisruptionBudget")
    assert set(budgets) == set(_named("Deployment")) - {"beat"}
    assert all(each["spec"].keys() == {"maxUnavailable", "selector"} for each in budgets.values())


def test_each_who_answers_or_asks_over_tls_has_a_certificate_of_its_own() -> None:
    component = Path("k8s/components/mutual-tls")
    issued = list(yaml.safe_load_all((component / "certificates.yaml").read_text()))
    names = {each["spec"]["secretName"]: each["spec"]["dnsNames"][0] for each in issued}
    silent = {"beat", "migrate", "retention"}  # they ask no component, and answer nobody
    told = {*(ROLES - silent), "gateway", "prometheus"}
    mounted = "".join(path.read_text() for path in component.glob("*.yaml"))
    assert names == {f"components-{name}": name for name in told}
    assert all(f"secretName: components-{name}" in mounted for name in ROLES - silent)


def test_prometheus_checks_a_name_that_all_whom_it_asks_have() -> None:
    component = Path("k8s/components/mutual-tls")
    (asking,) = yaml.safe_load((component / "monitors.yaml").read_text())["spec"][
        "podMetricsEndpoints"
    ]
    monitors = Path("k8s/components/monitoring/monitors.yaml").read_text()
    pods, *_ = yaml.safe_load_all(monitors)
    asked = pods["spec"]["selector"]["matchExpressions"][0]["values"]
    issued = yaml.safe_load_all((component / "certificates.yaml").read_text())
    names = {each["metadata"]["name"]: each["spec"]["dnsNames"] for each in issued}
    assert asking["scheme"] == "https"
    assert all(asking["tlsConfig"]["serverName"] in names[f"components-{role}"] for role in asked)


@pytest.mark.parametrize(
    "statements",
    [
        "deploy/postgres/users.sql.template",
        "k8s/components/stores/servers/postgres.yaml",
        "k8s/overlays/local/users.sql",
    ],
)
def test_a_role_has_the_deadlines_that_a_pooler_would_drop(statements: str) -> None:
    given = re.findall(r"ALTER ROLE profile SET (\w+) = '(\d)s'", Path(statements).read_text())
    assert len(given) == 3
    assert " ".join(f"-c {name}={seconds}000" for name, seconds in given) == store.LIMITS
