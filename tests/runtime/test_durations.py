import threading

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from runtime.durations import Durations

BOUNDS = (0.001, 0.01, 1.0)


def made():
    registry = CollectorRegistry()
    durations = Durations("call_seconds", "Time.", ("route",), bounds=BOUNDS)
    registry.register(durations)
    return durations, registry


def told(registry):
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (sample.name, sample.labels.get("route"), sample.labels.get("le")): sample.value
        for family in families
        for sample in family.samples
    }


def test_each_bucket_holds_what_takes_as_long_or_less():
    durations, registry = made()
    for seconds in (0.0005, 0.001, 0.002, 0.5, 7.0):
        durations.observe(seconds, "/a")
    values = told(registry)
    buckets = [values["call_seconds_bucket", "/a", le] for le in ("0.001", "0.01", "1.0", "+Inf")]
    assert buckets == [2, 3, 4, 5]
    assert values["call_seconds_count", "/a", None] == 5
    assert abs(values["call_seconds_sum", "/a", None] - 7.5035) < 1e-9


def test_series_are_counted_apart():
    durations, registry = made()
    durations.observe(0.1, "/a")
    durations.observe(0.1, "/b")
    assert told(registry)["call_seconds_count", "/b", None] == 1


def test_no_observation_of_any_thread_is_lost_or_counted_twice():
    durations, registry = made()

    def observe():
        for _ in range(5_000):
            durations.observe(0.25, "/a")

    threads = [threading.Thread(target=observe) for _ in range(4)]
    for thread in threads:
        thread.start()
    told(registry)
    for thread in threads:
        thread.join()
    values = told(registry)
    assert values["call_seconds_count", "/a", None] == 20_000
    assert values["call_seconds_sum", "/a", None] == 5_000


def test_names_are_known_before_anything_was_observed():
    _, registry = made()
    assert told(registry) == {}


def test_what_is_expected_is_told_before_it_is_observed():
    durations, registry = made()
    durations.expect("/a")
    assert told(registry)["call_seconds_count", "/a", None] == 0
    durations.observe(0.5, "/a")
    assert told(registry)["call_seconds_count", "/a", None] == 1
