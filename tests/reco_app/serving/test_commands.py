import io

import msgspec
import pytest
from django.core.management import CommandError, call_command

from reco_app.serving import doctor, live
from tests.reco_app.serving import examples


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
