"""A day's traffic with a flash sale, and what the autoscaler of k8s/base makes of it.

Each pod is one queue with one server, as a process of reco is (one event loop); every request is
followed through it (Lindley, 1952). Around the queues, on simpy's clock: traffic, the autoscaler
with the numbers of k8s/base/reco.yaml and every-autoscaler.yaml and Kubernetes' own rules
(tolerance, sync period, stabilization, policies), and pods that take a while to be ready. Requests
are refused as runtime.overload does. Of its two measures the autoscaler sees processor time alone:
`multireco_requests_in_flight` knows no recommendation that computing alone finds. Real clusters
differ: there are no slow nodes here, no retries, and balancing is by chance.
"""

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import simpy
import yaml
from numba import njit

from runtime.overload import INTERVAL_SECONDS, TARGET_SECONDS

BASE = Path(__file__).parents[1] / "k8s" / "base"
SERVICE_SECONDS = 1 / 1000  # of a request in one process: `answers.groceries.rps` was 985
SPREAD = 4.0  # shape of the gamma distribution of service times: half as wide as they are long
REFUSAL = 0.06  # of a request's time: docs/overload.md
READY_SECONDS = 40.0  # from the autoscaler's wish to a pod's first request
SYNC_SECONDS = 15.0  # kube-controller-manager's; metrics are as old as that when they are known
TOLERANCE = 0.1  # --horizontal-pod-autoscaler-tolerance
NIGHT, EVENING = 600.0, 4000.0  # requests a second at the day's lowest and highest
SALE_AT, SALE_SECONDS, SALE_RISE_SECONDS, SALE_TIMES = 20 * 3600.0, 1800.0, 60.0, 5.0
MINUTE, HOUR = 60, 3600
DAY = 24 * HOUR


@dataclass(frozen=True)
class Rules:
    """What the manifests say."""

    least: int
    most: int
    utilization: float
    cores: float
    up_percent: float
    up_seconds: float
    down_percent: float
    down_seconds: float
    hesitation_seconds: float


@dataclass
class Pods:
    """The pods: when each is ready, how busy it is until, and what it did since the last look."""

    ready_at: list[float]
    free_at: np.ndarray = field(default_factory=lambda: np.zeros(1000))
    late_since: np.ndarray = field(default_factory=lambda: np.zeros(1000))
    busy: float = 0.0

    def ready(self, now: float) -> int:
        return sum(at <= now for at in self.ready_at)


def measure_full() -> dict[str, float]:
    """Of the day and of the sale: pods, waiting, what was refused; and of a sale prepared for."""
    told = rules()
    day = simulate(told)
    enough = math.ceil(rate(SALE_AT + SALE_RISE_SECONDS) * SERVICE_SECONDS / told.utilization)
    prepared = simulate(replace(told, least=enough), began=SALE_AT - HOUR, seconds=2 * HOUR)
    figures = {"autoscaling.prepared.least_pods": float(enough)}
    for name, rows in (
        ("day", day),
        ("sale", [row for row in day if SALE_AT <= row["at"] < SALE_AT + SALE_SECONDS]),
        ("minute", [row for row in day if SALE_AT <= row["at"] < SALE_AT + 2 * MINUTE]),
        ("prepared", [row for row in prepared if SALE_AT <= row["at"] < SALE_AT + SALE_SECONDS]),
    ):
        waits = np.concatenate([row["waits"] for row in rows])
        asked = sum(row["asked"] for row in rows)
        figures[f"autoscaling.{name}.peak_pods"] = float(max(row["pods"] for row in rows))
        figures[f"autoscaling.{name}.requests"] = float(asked)
        figures[f"autoscaling.{name}.p99_wait_ms"] = round(1000 * np.quantile(waits, 0.99), 2)
        refused = sum(row["refused"] for row in rows)
        figures[f"autoscaling.{name}.refused_percent"] = round(100 * refused / asked, 3)
    figures["autoscaling.day.pod_hours"] = round(sum(row["pods"] for row in day) / 60, 1)
    return figures


def rules() -> Rules:
    documents = {each["kind"]: each for each in _yaml("reco.yaml")}
    autoscaler = documents["HorizontalPodAutoscaler"]["spec"]
    (behaviour,) = _yaml("every-autoscaler.yaml")
    up = behaviour["spec"]["behavior"]["scaleUp"]["policies"][0]
    down = behaviour["spec"]["behavior"]["scaleDown"]
    wanted = {each["type"]: each for each in autoscaler["metrics"]}
    container = documents["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    return Rules(
        least=autoscaler["minReplicas"],
        most=autoscaler["maxReplicas"],
        utilization=wanted["Resource"]["resource"]["target"]["averageUtilization"] / 100,
        cores=float(container["resources"]["requests"]["cpu"]),
        up_percent=up["value"],
        up_seconds=up["periodSeconds"],
        down_percent=down["policies"][0]["value"],
        down_seconds=down["policies"][0]["periodSeconds"],
        hesitation_seconds=down["stabilizationWindowSeconds"],
    )


def rate(now: float) -> float:
    """Requests a second: fewest at eight, most at twenty hours, five times as many in the sale."""
    swing = (1 + math.cos((now / DAY - 20 / 24) * 2 * math.pi)) / 2
    usual = NIGHT + (EVENING - NIGHT) * swing
    since = now - SALE_AT
    if not 0 <= since < SALE_SECONDS:
        return usual
    return usual * (1 + (SALE_TIMES - 1) * min(1.0, since / SALE_RISE_SECONDS))


def simulate(rule: Rules, *, began: float = 0.0, seconds: float = DAY) -> list[dict[str, Any]]:
    """What came of each minute."""
    clock = simpy.Environment(began)
    first = max(rule.least, math.ceil(rate(began) * SERVICE_SECONDS / rule.utilization))
    pods = Pods([began] * first)
    minutes: list[dict[str, Any]] = []
    clock.process(_traffic(clock, pods, minutes))
    clock.process(_autoscaler(clock, pods, rule))
    clock.run(until=began + seconds)
    return minutes


def _traffic(
    clock: simpy.Environment, pods: Pods, minutes: list[dict[str, Any]]
) -> Generator[simpy.Event, None, None]:
    chance = np.random.default_rng(20_261_130)
    while True:
        if clock.now % MINUTE == 0:
            minutes.append({"at": clock.now, "asked": 0, "refused": 0, "waits": [], "pods": 0})
        minute = minutes[-1]
        ready = pods.ready(clock.now)
        arrivals = np.sort(clock.now + chance.random(chance.poisson(rate(clock.now))))
        to = chance.integers(0, ready, len(arrivals))
        service = chance.gamma(SPREAD, SERVICE_SECONDS / SPREAD, len(arrivals))
        waits, busy = _queue(arrivals, to, service, pods.free_at, pods.late_since)
        taken = waits[waits >= 0]
        pods.busy += busy
        minute["asked"] += len(arrivals)
        minute["refused"] += len(arrivals) - len(taken)
        minute["waits"] = np.concatenate([minute["waits"], taken[::50]])  # a sample
        minute["pods"] = max(minute["pods"], len(pods.ready_at))
        yield clock.timeout(1)


@njit(cache=True)
def _queue(arrivals, to, service, free_at, late_since):  # type: ignore[no-untyped-def]
    """Waiting of each request, -1 where it is refused; and the seconds that servers were busy."""
    waits = np.empty(len(arrivals))
    busy = 0.0
    for request in range(len(arrivals)):
        at, pod = arrivals[request], to[request]
        wait = max(0.0, free_at[pod] - at)
        if wait <= TARGET_SECONDS:
            late_since[pod] = 0.0
        elif late_since[pod] == 0.0:
            late_since[pod] = at
        refused = wait > TARGET_SECONDS and at - late_since[pod] > INTERVAL_SECONDS
        spent = service[request] * (REFUSAL if refused else 1.0)
        free_at[pod] = max(free_at[pod], at) + spent
        busy += spent
        waits[request] = -1.0 if refused else wait
    return waits, busy


def _autoscaler(
    clock: simpy.Environment, pods: Pods, rule: Rules
) -> Generator[simpy.Event, None, None]:
    wished: list[tuple[float, int]] = []
    shrunk: list[tuple[float, int]] = []
    known = 0.0
    while True:
        yield clock.timeout(SYNC_SECONDS)
        load = known  # what was scraped the last time
        known, pods.busy = pods.busy / SYNC_SECONDS, 0.0
        now, count = clock.now, len(pods.ready_at)
        wish = _wish(load, rule.utilization * rule.cores, count)
        wished = [(at, n) for at, n in wished if at > now - rule.hesitation_seconds] + [(now, wish)]
        shrunk = [(at, n) for at, n in shrunk if at > now - rule.down_seconds]
        if wish > count:
            highest = math.ceil(count * (1 + rule.up_percent / 100))
            for _ in range(min(wish, highest, rule.most) - count):
                pods.ready_at.append(now + READY_SECONDS)
        else:
            began_with = count + sum(n for _, n in shrunk)
            lowest = math.ceil(began_with * (1 - rule.down_percent / 100))
            target = max(rule.least, lowest, *(n for _, n in wished))
            if target < count:
                del pods.ready_at[target:]
                shrunk.append((now, count - target))


def _wish(total: float, each: float, count: int) -> int:
    """Kubernetes' rule: no change within the tolerance."""
    ratio = total / (each * count)
    return count if abs(ratio - 1) <= TOLERANCE else math.ceil(count * ratio)


def _yaml(name: str) -> Iterator[dict[str, Any]]:
    return yaml.safe_load_all((BASE / name).read_text())
