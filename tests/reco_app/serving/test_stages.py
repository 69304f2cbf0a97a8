"""Where the time of an answer goes, told of few and counted for all."""

from reco_app.serving import stages
from runtime import metrics


def computed(way: str) -> float:
    return metrics.registry.get_sample_value("multireco_answers_computed_total", {"way": way}) or 0


def timed(stage: str) -> float:
    name = "multireco_answer_stage_seconds_count"
    return metrics.registry.get_sample_value(name, {"stage": stage}) or 0


def test_every_computed_answer_is_counted_and_one_in_64_timed():
    counted, told = computed("compiled"), timed("compiled")

    for _ in range(128):
        stages.compiled(0.0)

    assert computed("compiled") == counted + 128
    assert timed("compiled") == told + 2


def test_a_watch_tells_of_its_stages_for_one_answer_in_64():
    told = timed("candidates")

    for _ in range(64):
        stages.whole().lap("candidates")

    assert timed("candidates") == told + 1
