"""How a release reaches a cluster, told by what kubectl is asked to do."""

import os
import subprocess
from pathlib import Path
from time import sleep

import pytest
import yaml

IMAGE = "registry.example/shop/multireco@sha256:0123"
ROLES = {"profile", "catalog", "reco", "router", "gateway", "worker", "relay", "beat"}
KUBECTL = """#!/bin/sh
if [ "$1" = kustomize ]; then echo "image: $BUILT"; exit; fi
echo "$@" >> "$TOLD"
case "$*" in *"get deployment/$NEW "*) exit 0 ;; *"get deployment/"*) echo 7 ;; esac
case "$*" in *"get job/migrate"*) echo "$MIGRATION" ;; esac
case "$*" in apply*) cat "$3" > "$TOLD.applied" ;; esac
case "$*" in *"$FAILING"*) exit 1 ;; esac
"""
CURL = '#!/bin/sh\necho "curl $*" >> "$TOLD"\nexit "$ANSWER"\n'


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A cluster that does what it is told, and a shop that answers."""
    production = yaml.safe_load(Path("k8s/overlays/production/kustomization.yaml").read_text())
    (built,) = (each for each in production["images"] if each["name"] == "multireco")
    for name, script in (("kubectl", KUBECTL), ("curl", CURL)):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    return {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "BUILT": f"{built['newName']}:{built['newTag']}",
        "TOLD": str(tmp_path / "told"),
        "FAILING": "nothing at all",
        "NEW": "no role",
        "MIGRATION": "SuccessCriteriaMet Complete",
        "ANSWER": "0",
        "IMAGE": IMAGE,
        "ADDRESS": "https://shop.example",
    }


def _rolled_out(environment: dict[str, str]) -> tuple[int, str]:
    """Its exit code, and what kubectl and curl were asked."""
    ran = subprocess.run(["/bin/sh", "deploy/rollout.sh"], env=environment, capture_output=True)
    return ran.returncode, Path(environment["TOLD"]).read_text()


def _taken_back(told: str) -> set[str]:
    """The roles that were, and to which revision."""
    lines = [line for line in told.splitlines() if "rollout undo" in line]
    return {line.rpartition("/")[2] for line in lines}


def test_a_release_that_answers_stays(environment):
    code, told = _rolled_out(environment)
    assert code == 0
    assert _taken_back(told) == set()
    assert "https://shop.example/v1/recommendations" in told
    applied = Path(environment["TOLD"] + ".applied").read_text()
    assert f"image: {IMAGE}\n" in applied
    assert "registry.example/multireco:" not in applied


@pytest.mark.parametrize(
    "trouble",
    [
        {"ANSWER": "22"},
        {"MIGRATION": "FailureTarget Failed"},
        {"FAILING": "s deployment/reco"},
        {"FAILING": "apply"},
    ],
    ids=["no answer", "no migration", "no pods", "no manifests"],
)
def test_a_release_that_fails_is_taken_back_in_every_role_to_what_it_was(environment, trouble):
    code, told = _rolled_out(environment | trouble)
    assert code == 1
    assert _taken_back(told) == {f"{role} --to-revision=7" for role in ROLES}
    assert told.rindex("get deployment/") < told.index("apply ")


def test_a_role_that_was_not_there_before_is_not_taken_back(environment):
    _, told = _rolled_out(environment | {"ANSWER": "22", "NEW": "relay"})
    assert _taken_back(told) == {f"{role} --to-revision=7" for role in ROLES - {"relay"}}


def test_one_role_that_cannot_be_taken_back_keeps_no_other(environment):
    trouble = {"ANSWER": "22", "FAILING": "undo deployment/catalog"}
    _, told = _rolled_out(environment | trouble)
    assert _taken_back(told) == {f"{role} --to-revision=7" for role in ROLES}


def test_a_roll_out_that_is_broken_off_is_taken_back(environment):
    waiting = environment | {"MIGRATION": "", "ANSWER": "22"}
    rolling = subprocess.Popen(["/bin/sh", "deploy/rollout.sh"], env=waiting)
    told = Path(environment["TOLD"])
    while not (told.exists() and "get job/migrate" in told.read_text()):
        sleep(0.05)
    rolling.terminate()
    assert rolling.wait(30) == 1
    assert _taken_back(told.read_text()) == {f"{role} --to-revision=7" for role in ROLES}
