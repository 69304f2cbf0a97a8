import io
import os
import subprocess
from datetime import timedelta

import msgspec
import pytest
from django.core.management import CommandError, call_command
from kombu import Connection

from reco_app import worker
from reco_app.serving import doctor, live
from reco_app.serving.management.commands import drill
from tests import debian, servers
from tests.reco_app.serving import examples

DONE = subprocess.CompletedProcess([], 0)


@pytest.fixture
def trained(stock, model_dir, monkeypatch):
    monkeypatch.setattr(live, "_state", examples.state(products=[], engine=None, version=0))
    changed = doctor.current().model_copy(update={"model_dir": model_dir})
    monkeypatch.setattr(doctor, "current", lambda: changed)
    return examples.publish(model_dir)


def test_recommend_prints_the_answer_of_the_api(trained):
    out = io.StringIO()
    call_command("recommend", "p00", "add-to-cart:p99*2", "--json", stdout=out)
    answer = msgspec.json.decode(out.getvalue())
    assert {item["item_id"] for item in answer["items"]} == {"p01", "p02"}
    assert answer["missing_ids"] == ["p99"]
    assert answer["model"]["version"] == trained


def test_recommend_prints_a_table(trained, capsys):
    call_command("recommend", "p00", "--count", "2")
    printed = capsys.readouterr().out
    assert "p01" in printed
    assert trained in printed


def test_recommend_takes_what_a_basket_lacks_for_free_shipping(trained):
    with pytest.raises(CommandError, match="An amount"):
        call_command("recommend", "p00", "--free-shipping-gap", "much")


def test_recommend_says_what_is_wrong_with_its_arguments(trained):
    with pytest.raises(CommandError, match="psychic"):
        call_command("recommend", "p00", "--scenario", "psychic")


def test_doctor_names_what_is_down_and_what_to_do(trained, model_dir):
    (model_dir / "live").unlink()
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--json", stdout=out)
    findings = msgspec.json.decode(out.getvalue())
    assert ended.value.code == 1
    assert findings["PostgreSQL"]["state"] in ("ok", "slow")
    assert findings["Redis"]["state"] in ("ok", "slow")
    assert findings["broker"]["state"] in ("ok", "slow")
    assert findings["model store"]["state"] == "ok"
    assert findings["live release"]["state"] == "down"
    assert "manage.py train" in findings["live release"]["advice"]


def test_doctor_prints_a_table(trained, capsys):
    with pytest.raises(SystemExit):
        call_command("doctor")
    assert "PostgreSQL" in capsys.readouterr().out


def test_doctor_cuts_no_name_short(capsys, monkeypatch):
    advice = "Start PostgreSQL, or correct MULTIRECO_PROFILE_DATABASE_URL."
    down = doctor.Finding("PostgreSQL", "down", 2.0, "refused " * 20, advice)
    monkeypatch.setattr(doctor, "examine", lambda: [down])
    with pytest.raises(SystemExit):
        call_command("doctor")
    assert "…" not in capsys.readouterr().out


def test_doctor_tells_how_old_the_live_release_is(trained, monkeypatch):
    monkeypatch.setattr(doctor, "STALE", timedelta())
    finding = next(each for each in doctor.examine() if each.name == "live release")
    assert finding.state == "slow"
    assert "hours old" in finding.detail
    assert "train" in finding.advice


def test_doctor_tells_of_changes_that_nobody_relays(trained, monkeypatch):
    monkeypatch.setattr(doctor, "LATE", timedelta())
    finding = next(each for each in doctor.examine() if each.name == "relay")
    assert finding.state == "slow"
    assert "role relay" in finding.advice


@pytest.mark.debian
def test_doctor_tells_of_queues_that_no_worker_takes_from(tmp_path, monkeypatch):
    servers.need("RabbitMQ")
    with debian.rabbitmq(tmp_path) as address:
        changed = doctor.current().model_copy(update={"broker_url": address})
        for reader in (doctor, worker):
            monkeypatch.setattr(reader, "current", lambda: changed)
        with pytest.raises(doctor.Trouble, match="there is no queue default") as missing:
            doctor.CHECKS["broker"]()
        with Connection(address) as broker:
            worker.declare(broker.default_channel)
        with pytest.raises(doctor.Trouble, match="nobody takes the 0 of default"):
            doctor.CHECKS["broker"]()
    assert "role worker" in missing.value.advice


def test_a_drill_is_told_nothing_of_the_installation(monkeypatch):
    ran = {}
    monkeypatch.setattr(drill.subprocess, "run", lambda _, **options: ran.update(options) or DONE)
    with pytest.raises(SystemExit):
        call_command("drill", "redis_hung")
    assert "MULTIRECO_DATABASE_URL" in os.environ
    assert not any(name.startswith("MULTIRECO_") for name in ran["env"])


def test_a_drill_in_the_image_says_what_it_needs(monkeypatch, tmp_path):
    monkeypatch.setattr(drill, "DRILLS", tmp_path / "bench")
    with pytest.raises(CommandError, match="checkout"):
        call_command("drill", "redis_hung")
