"""`make deploy-check`: every static check of what is deployed; ends with a count of findings.

A check is a command; each line that it writes to the end is a finding, and so is a failure without
one. A tool that is not installed is named, and is a finding where CI=true.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template

ROOT = Path(__file__).resolve().parents[1]
TOOLS = Path(sys.prefix) / "bin"
BUILT = ROOT / "build" / "deploy"
BUILDS = {
    "local": "k8s/overlays/local",
    "production": "k8s/overlays/production",
    "stores": "k8s/components/stores/servers",
    "logging": "k8s/components/logging",
}
# What these say is not so here, and why.
EXPECTED = (
    "Couldn't find schema for kind",  # of operators: they validate their own resources
    "INFO ",
)
TALKATIVE = {"checkov", "promtool", "amtool", "gixy"}  # they tell what they found good, too
SHELLCHECK = str(ROOT / ".venv/bin/shellcheck")
SHELLCHECKED = ("-no-color", "-shellcheck", SHELLCHECK)
COMPOSE = ("-f", "deploy/compose.yaml", "--profile", "*")
BESIDE_IT = ("deploy/compose.tls.yaml", "deploy/compose.proxy.yaml")
SETTINGS_GIVEN = {
    "POSTGRES_PASSWORD": "nothing",
    "TLS_DIR": "/nowhere",
    "MULTIRECO_SECRET_KEY": "nothing-is-signed-by-a-look-at-settings-0123456789abcdef",
    "MULTIRECO_DATABASE_URL": "postgresql://none@127.0.0.1/none",
    "MULTIRECO_BROKER_URL": "redis://127.0.0.1/0",
    "MULTIRECO_MODEL_DIR": "build/models",
    "MULTIRECO_ALLOWED_HOSTS": "shop.example",
    "MULTIRECO_CSRF_TRUSTED_ORIGINS": "https://shop.example",
}
SETTINGS = r"""
import sys, django
from django.core.checks import run_checks
django.setup()
at_the_gateway = {"security.W004", "security.W008"}  # HSTS, and http sent on to https
for each in run_checks(include_deployment_checks=True):
    if each.id not in at_the_gateway:
        sys.stdout.write(f"{each.id} {each.msg}\n")
"""


def main() -> int:
    BUILT.mkdir(parents=True, exist_ok=True)
    findings = 0
    for name, command in _checks():
        if not shutil.which(command[0]):
            _say(f"{name}: not checked, {Path(command[0]).name} is not installed")
            findings += os.environ.get("CI") == "true"
            continue
        found = _found(command)
        findings += len(found)
        _say(f"{name}: {'ok' if not found else f'{len(found)} findings'}")
        for line in found:
            _say(f"  {line}")
    _say(f"{findings} findings")
    return 1 if findings else 0


def _checks() -> Iterator[tuple[str, Sequence[str]]]:
    for name, folder in BUILDS.items():
        built = str(BUILT / f"{name}.yaml")
        yield f"kustomize {name}", ["kubectl", "kustomize", folder, "-o", built]
        yield f"schemas {name}", [_tool("kubernetes-validate"), "--strict", built]
    built = str(BUILT / "production.yaml")
    yield "checkov", [_tool("checkov"), "--config-file", "deploy/checkov.yaml", "-f", built]
    yield "hadolint", [_tool("hadolint"), "--no-color", "deploy/Dockerfile"]
    schema = [_tool("check-jsonschema"), "-q", "--builtin-schema"]
    yield "compose", [*schema, "vendor.compose-spec", "deploy/compose.yaml", *BESIDE_IT]
    for name, more in (("alone", ()), *((file, ("-f", file)) for file in BESIDE_IT)):
        compose = [_tool("docker-compose"), *COMPOSE, *more, "config", "--quiet"]
        yield f"compose's variables, {name}", compose
    workflows = sorted(str(path) for path in (ROOT / ".github/workflows").glob("*.yaml"))
    yield "workflows", [*schema, "vendor.github-workflows", *workflows]
    yield "actionlint", [_tool("actionlint"), *SHELLCHECKED, "-oneline", *workflows]
    yield "zizmor", [_tool("zizmor"), "--offline", "-q", "--format=github", ".github/"]
    places = ["k8s", "deploy", ".github"]
    yield (
        "yamllint",
        [_tool("yamllint"), "-s", "-f", "parsable", "-c", "deploy/yamllint.yaml", *places],
    )
    scripts = sorted(str(path) for path in (ROOT / "deploy").rglob("*.sh"))
    yield "shellcheck", [SHELLCHECK, "-f", "gcc", *scripts, ".ci/run"]
    yield (
        "promtool",
        ["promtool", "check", "config", "--lint-fatal", "deploy/prometheus/prometheus.yaml"],
    )
    alerts = sorted(str(path) for path in (ROOT / "deploy/prometheus").glob("*.test.yaml"))
    yield "alerts", ["promtool", "test", "rules", *alerts]
    yield "alertmanager", ["amtool", "check-config", "deploy/prometheus/alertmanager.yaml"]
    yield "settings", [str(ROOT / ".venv/bin/python"), "-c", SETTINGS]
    gateway = str(_gateway())
    yield "nginx", ["nginx", "-t", "-q", "-e", "stderr", "-c", gateway]
    # Django is asked by the name and port that the browser knows: it refuses names that are not its
    # own where MULTIRECO_ALLOWED_HOSTS is set. Who comes without TLS is sent on to the name that
    # was asked for.
    yield "gixy", [_tool("gixy"), "--skips", "host_spoofing", gateway]


def _found(command: Sequence[str]) -> list[str]:
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **SETTINGS_GIVEN, "DJANGO_SETTINGS_MODULE": "reco_app.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    if Path(command[0]).name in TALKATIVE and not ran.returncode:
        return []
    lines = [line for line in (ran.stdout + ran.stderr).splitlines() if line.strip()]
    found = [line for line in lines if not any(known in line for known in EXPECTED)]
    if ran.returncode and not found:
        return [f"{Path(command[0]).name} ended with {ran.returncode}"]
    return found


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _tool(name: str) -> str:
    return str(TOOLS / name)


def _gateway() -> Path:
    """The gateway's configuration as its image puts it together, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="multireco-gateway-"))
    atexit.register(shutil.rmtree, folder)
    roles = ("ROUTER", "RECO", "CATALOG", "PROFILE")
    addresses = {f"{role}_ADDRESS": "127.0.0.1:8000" for role in roles}
    template = Template((ROOT / "deploy/nginx/gateway.conf.template").read_text())
    routes = template.safe_substitute(
        addresses,
        GATEWAY_LISTEN="127.0.0.1:8080",
        COMPONENTS_SCHEME="http",
        GATEWAY_STATUS_LISTEN="127.0.0.1:8081",
        GATEWAY_CACHE=str(folder / "cache"),
        RECO_MOST_AT_ONCE="48",
        NGINX_LOCAL_RESOLVERS="127.0.0.1",
    )
    (folder / "gateway.conf").write_text(routes)
    _add_tls(folder)
    whole = folder / "main"
    main = (ROOT / "deploy/nginx/nginx.conf").read_text()
    whole.write_text(main.replace("/tmp", str(folder)).replace("/etc/nginx/conf.d", str(folder)))
    return whole


def _add_tls(folder: Path) -> None:
    """As where TLS ends in the gateway, with a certificate for nobody."""
    (folder / "tls").mkdir()
    (folder / "conf.d/tls").mkdir(parents=True)
    template = Template((ROOT / "deploy/nginx/tls.conf.template").read_text())
    made = template.safe_substitute(GATEWAY_TLS_LISTEN="127.0.0.1:8443")
    (folder / "conf.d/tls/tls.conf").write_text(made)
    asked = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    files = ["-nodes", "-subj", "/CN=nobody", "-keyout", "tls/tls.key", "-out", "tls/tls.crt"]
    subprocess.run([*asked, *files], cwd=folder, check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
