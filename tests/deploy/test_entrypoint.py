"""The roles of the image."""

import subprocess
from pathlib import Path

import pytest

ENTRYPOINT = Path("deploy/entrypoint.sh").resolve()
ROLES = {
    "all": "uvicorn --host 127.0.0.1 --port 8123",
    "router": "uvicorn --host 127.0.0.1 --port 8123",
    "profile": "gunicorn --bind 127.0.0.1:8123",
    "catalog": "uvicorn --host 127.0.0.1 --port 8123",
    "reco": "uvicorn --host 127.0.0.1 --port 8123",
    "worker": "celery --quiet --app reco_app.worker:app worker",
    "relay": "manage relay",
    "beat": "celery --quiet --app reco_app.worker:app beat",
    "migrate": "profile_app.migrate python -m runtime.role migrate manage migrate --noinput",
    "train": "manage train",
    "retention": "manage retention",
}


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """A PATH whose Python only tells how it was called."""
    told = tmp_path / "python"
    told.write_text('#!/bin/sh\necho python "$@"\n')
    told.chmod(0o755)
    return {"PATH": f"{tmp_path}:/usr/bin:/bin", "PORT": "8123"}


def _run(role: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ENTRYPOINT), *role.split()], env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("role", ROLES)
def test_each_role_starts_its_program(role, environment):
    assert _run(role, environment).stdout.startswith(f"python -m runtime.role {role} {ROLES[role]}")


@pytest.mark.parametrize("role", [role for role in ROLES if ROLES[role].startswith("uvicorn")])
def test_no_server_logs_who_asks(role, environment):
    assert " --ws none --no-access-log " in _run(role, environment).stdout


def test_an_unknown_role_is_refused_by_name(environment):
    ran = _run("janitor", environment)
    assert ran.returncode == 64
    assert "janitor" in ran.stderr


def test_no_role_at_all_is_refused(environment):
    assert _run("", environment).returncode != 0
