import hashlib
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from reco_app.training import cases, evaluation, scorecard
from reco_app.training.eventlog import EventLog

DAY = 86_400.0


def log_of(sessions: dict[str, str], *, apart_seconds: float = 60.0) -> EventLog:
    """Sessions by id; each letter is a product."""
    ids = list(sessions)
    rows = [
        (number, item, number * 3600.0 + place * apart_seconds)
        for number, session_id in enumerate(ids)
        for place, item in enumerate(sessions[session_id])
    ]
    letters = sorted({row[1] for row in rows})
    return EventLog(
        session=np.array([row[0] for row in rows], np.int64),
        item=np.array([letters.index(row[1]) for row in rows], np.int64),
        event_type=np.zeros(len(rows), np.uint8),
        quantity=np.ones(len(rows), np.float32),
        at=np.array([row[2] for row in rows]),
        session_ids=ids,
        item_ids=letters,
    )


TRAIN = log_of({f"train-{number}": "abc" for number in range(5)} | {"other": "de"})


def _run(test: EventLog, protocol: evaluation.Protocol, train: EventLog = TRAIN) -> evaluation.Run:
    return evaluation.evaluate(
        train, test, protocol=protocol, cutoff=20, progress=lambda *step: None
    )


def _named(run: evaluation.Run) -> list[tuple[str, str]]:
    ids = [*run.model.item_ids, "unknown"]
    return [("".join(ids[e.item] for e in case.context), ids[case.target]) for case in run.cases]


def test_every_prefix_predicts_the_next_item():
    run = _run(log_of({"t": "abxa"}), "next-item")

    assert _named(run) == [("a", "b"), ("ab", "unknown"), ("ab", "a")]


def test_without_repeats_each_product_is_met_once():
    run = _run(log_of({"t": "aabac"}), "no-repeats")

    assert _named(run) == [("a", "b"), ("ab", "c")]
    assert run.outcomes[""].lists[1].tolist().count(run.model.items["a"]) == 0


def test_the_product_with_the_smallest_digest_is_hidden():
    run = _run(log_of({"basket": "abcz"}), "hide-one")
    digests = {item: hashlib.sha256(f"basket:{item}".encode()).hexdigest() for item in "abc"}

    [(context, hidden)] = _named(run)

    assert hidden == min(digests, key=digests.__getitem__)
    assert set(context) == set("abc") - {hidden}


@pytest.mark.parametrize(
    ("protocol", "ages"),
    [("next-item", [[0], [60, 0]]), ("no-repeats", [[0], [60, 0]]), ("hide-one", [[120, 0]])],
)
def test_contexts_are_as_old_as_they_were(protocol, ages):
    run = _run(log_of({"t": "abc"}), protocol)

    assert [[entry.age_seconds for entry in case.context] for case in run.cases] == ages


def test_what_always_follows_is_found_by_the_engine_and_missed_by_popularity():
    figures = scorecard.summary(
        [_run(log_of({"t": "de"}), "next-item")], protocol="next-item", cutoff=1
    )

    assert figures["recall_at_1"] == 1.0
    assert figures["baseline.popularity.recall_at_1"] == 0.0


def test_logs_with_nothing_in_common_have_nothing_to_predict():
    with pytest.raises(evaluation.NothingToPredict):
        _run(log_of({"t": "xy"}), "hide-one")


def test_a_training_log_that_knows_no_product_of_the_test_has_nothing_to_predict():
    with pytest.raises(evaluation.NothingToPredict):
        _run(log_of({"t": "xy"}), "next-item", train=log_of({}))


def test_where_no_product_comes_again_none_is_offered_again():
    train = log_of({f"train-{number}": "abcdefgh" for number in range(5)})

    run = _run(log_of({"t": "abcd"}), "next-item", train=train)

    assert run.cases[-1].context[0].item not in run.outcomes[""].lists[-1][:5]
    assert run.outcomes[""].found.tolist() == [1, 1, 1]


def test_each_of_the_last_days_is_trained_on_what_came_before():
    log = log_of({f"s-{number}": "abc" for number in range(72)})

    runs = evaluation.evaluate_days(
        log,
        days=2,
        protocol="next-item",
        cutoff=20,
        progress=lambda *step: None,
        beside={"vmis"},
    )

    assert [list(run.outcomes) for run in runs] == [["", "vmis"]] * 2
    assert [len(run.model.index.session_at) for run in runs] == [24, 48]
    gains = scorecard.gains(runs, protocol="next-item", cutoff=20)
    low, high = gains["gain.vmis.mrr_at_20_low"], gains["gain.vmis.mrr_at_20_high"]
    assert low <= gains["gain.vmis.mrr_at_20"] <= high


ROWS = "".join(
    f"s{session},{item},2026-01-0{1 + session // 4}T00:0{place}:00Z\n"
    for session in range(12)
    for place, item in enumerate("abc")
)


def test_the_command_prints_one_flat_object(tmp_path, capsys):
    log = tmp_path / "log.csv"
    log.write_text("session_id,item_id,timestamp\n" + ROWS)

    call_command("evaluate", train=log, test=log, json=True)

    figures = json.loads(capsys.readouterr().out)
    assert figures["recall_at_20"] == 1.0
    assert {"mrr_at_20", "p50_us", "p99_us", "train_seconds"} <= set(figures)
    assert "baseline.vmis.recall_at_20" in figures


def test_the_command_shows_a_table(tmp_path, capsys):
    log = tmp_path / "log.csv"
    log.write_text("session_id,item_id,timestamp\n" + ROWS)

    call_command("evaluate", train=log, days=1, hide_one=True)

    shown = capsys.readouterr().out
    assert "what the engine gains over each" in shown
    assert "cosine" in shown
    assert "association" in shown


def test_the_command_names_what_is_wrong(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("session_id,item_id\n")

    with pytest.raises(CommandError, match="no column timestamp"):
        call_command("evaluate", train=log, test=log)


def test_of_many_cases_every_second_session_is_asked(monkeypatch):
    monkeypatch.setattr(cases, "MOST_CASES", 3)

    run = _run(log_of({f"t{number}": "ab" for number in range(6)}), "next-item")

    assert [case.session for case in run.cases] == [0, 2, 4]


def test_without_the_library_its_baselines_are_left_out_and_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(evaluation, "foreign", None)
    log = tmp_path / "log.csv"
    log.write_text("session_id,item_id,timestamp\n" + ROWS)

    call_command("evaluate", train=log, test=log, json=True)

    told = capsys.readouterr()
    assert "baseline.als.recall_at_20" not in json.loads(told.out)
    assert "Without als and item_knn" in told.err
