"""Recommendations at three and at ten times the knee, through the gateway, and the time after.

    python -m bench.split overload

One process of reco, whose event loop is held for 3 ms by each recommendation (bench/split/held.py),
so that its knee is about 300 a second; it shares a core with the gateway.
The knee is what it answers when it is asked by two at a time, as fast as it goes. Load is open:
requests leave when they are due, answered or not, and what an answer took counts from then. Goodput
is what was answered with 200, in percent of the knee; recovery lasts from the end of the load until
the last answer that is a refusal or took longer than NORMAL_SECONDS, under 60 % of the knee.
"""

from collections.abc import Sequence

import numpy as np

from bench.arrivals import Answered, answers, arrivals
from bench.split import site

KNEE_REQUESTS = 1000
LOAD_SECONDS, AFTER_SECONDS = 20, 15
AFTER = 0.6  # of the knee
NORMAL_SECONDS = 0.1
CONNECTIONS = 200  # NGINX takes two each, of 512
HELD = "bench.split.held:application"


def measure() -> dict[str, float]:
    """Figures by their names."""
    with site.measured(HELD) as measured:
        url = f"{measured.gateway}/v1/recommendations"
        knee = _knee(url)
        figures: dict[str, float] = {"overload.knee_rps": round(knee)}
        refused, recovery = list[Answered](), list[float]()
        for times in (3, 10):
            due = arrivals(rate=times * knee, seconds=LOAD_SECONDS)
            end = due[-1]
            due += [end + later for later in arrivals(rate=AFTER * knee, seconds=AFTER_SECONDS)]
            answered, _ = answers(url, site.BODIES, due=due, connections=CONNECTIONS)
            during = [answer for answer in answered if answer.due <= end]
            good = [answer for answer in during if answer.status == 200]
            refused += [answer for answer in during if answer.status == 503]
            if len(good) + sum(answer.status == 503 for answer in during) < len(during):
                raise RuntimeError(f"not all were answered or refused: {_statuses(during)}")
            figures[f"overload_{times}x.goodput_percent"] = round(len(good) / end / knee * 100, 1)
            figures[f"overload_{times}x.good_p99_ms"] = _p99_ms(good)
            recovery.append(_recovery([one for one in answered if one.due > end], end))
    figures["overload.shed_p99_ms"] = _p99_ms(refused)
    figures["overload.recovery_seconds"] = round(max(recovery), 2)
    return figures


def _knee(url: str) -> float:
    """Answers a second to two who ask again at once; none is refused."""
    due = [0.0] * KNEE_REQUESTS
    answered, took = answers(url, site.BODIES, due=due, connections=2)
    if any(answer.status != 200 for answer in answered):
        raise RuntimeError(f"the knee cannot be told: {_statuses(answered)}")
    return len(answered) / took


def _recovery(after: Sequence[Answered], end: float) -> float:
    """Seconds until all is normal; those that were left over from the load count."""
    unwell = [
        answer.due + answer.seconds
        for answer in after
        if answer.status != 200 or answer.seconds > NORMAL_SECONDS
    ]
    return max(unwell, default=end) - end


def _p99_ms(answered: Sequence[Answered]) -> float:
    return round(float(np.percentile([answer.seconds for answer in answered], 99)) * 1e3, 1)


def _statuses(answered: Sequence[Answered]) -> dict[int, int]:
    found = [answer.status for answer in answered]
    return {status: found.count(status) for status in sorted(set(found))}
