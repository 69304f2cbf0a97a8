"""What waits too long is refused, batches first; what hangs fills its own lane only."""

from collections.abc import Callable

import httpx2
import pytest

from runtime import metrics, overload
from runtime.asgi import Receive, Scope, Send, answer
from runtime.overload import FIRST, INTERVAL_SECONDS, LEAST, TARGET_SECONDS, Gate
from runtime.shell import shell

LONG = 2 * TARGET_SECONDS
RECOMMENDATIONS, BATCH = "/v1/recommendations", "/v1/batch"
PAGE, FILE = "/admin/login/", "/static/v-0123456789ab/unfold/css/styles.css"


class Loop:
    """An event loop's rounds on a clock of its own: it reads all that came, then answers it."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.now = 1000.0

    def answer(self, *paths: str, each_seconds: float) -> list[bool]:
        """Whether each of those that came together was let in; answering one takes so long."""
        read: list[Callable[[], None]] = []
        came = [self.gate.queue.came(self.now, read.append) for _ in paths]
        for callback in read:
            callback()
        return [self._begin(path, at, each_seconds) for path, at in zip(paths, came, strict=True)]

    def _begin(self, path: str, came: float, seconds: float) -> bool:
        lane = self.gate.lane(path, b"")
        began = self.now
        if not self.gate.enter(lane, waited=began - came, now=began):
            return False
        self.now += seconds
        lane.leave(began, self.now)
        return True

    def fall_behind(self) -> None:
        """Be asked for more than can be answered, for longer than a burst lasts."""
        until = self.now + 2 * INTERVAL_SECONDS
        while self.now < until:
            self.answer(*[RECOMMENDATIONS] * 3, each_seconds=TARGET_SECONDS)


@pytest.fixture
def loop() -> Loop:
    return Loop()


def test_a_burst_is_answered_in_full(loop):
    assert all(loop.answer(*[RECOMMENDATIONS] * 20, each_seconds=INTERVAL_SECONDS / 25))


def test_a_process_that_was_held_up_for_a_second_answers_all_who_came_meanwhile(loop):
    loop.answer(RECOMMENDATIONS, each_seconds=1.0)
    assert all(loop.answer(*[RECOMMENDATIONS, BATCH] * 5, each_seconds=0.0001))


def test_what_has_waited_too_long_in_a_standing_queue_is_refused(loop):
    loop.fall_behind()
    let_in = loop.answer(*[RECOMMENDATIONS] * 10, each_seconds=TARGET_SECONDS * 0.49)
    assert let_in == [True] * 3 + [False] * 7


def test_batches_are_refused_before_recommendations(loop):
    loop.fall_behind()
    assert loop.answer(BATCH, RECOMMENDATIONS, each_seconds=0.0001) == [False, True]


@pytest.mark.parametrize("other", [BATCH, "/v1/imports/products"])
def test_batches_and_imports_are_refused_before_pages(loop, other):
    loop.fall_behind()
    assert loop.answer(other, PAGE, each_seconds=0.0001) == [False, True]


def test_pages_are_refused_before_recommendations(loop):
    loop.fall_behind()
    let_in = loop.answer(*[RECOMMENDATIONS, PAGE] * 2, each_seconds=TARGET_SECONDS * 0.6)
    assert let_in == [True, False, True, False]


def test_files_of_pages_are_refused_with_recommendations_and_not_before_them(loop):
    loop.fall_behind()
    let_in = loop.answer(*[RECOMMENDATIONS, FILE] * 2, each_seconds=TARGET_SECONDS * 0.6)
    assert let_in == [True, True, False, False]


def test_a_round_without_waiting_ends_the_overload(loop):
    loop.fall_behind()
    loop.answer(RECOMMENDATIONS, each_seconds=0.0001)
    assert loop.answer(BATCH, each_seconds=0.0001) == [True]


def test_a_load_that_has_only_paused_is_refused_at_once(loop):
    loop.fall_behind()
    loop.answer(RECOMMENDATIONS, each_seconds=0.0001)
    let_in = loop.answer(*[RECOMMENDATIONS] * 10, each_seconds=TARGET_SECONDS * 0.49)
    assert let_in == [True] * 3 + [False] * 7


def test_two_hold_ups_far_apart_are_no_standing_queue(loop):
    loop.answer(*[RECOMMENDATIONS] * 2, each_seconds=LONG)
    loop.now += 60
    assert loop.answer(*[RECOMMENDATIONS] * 3, each_seconds=LONG) == [True] * 3


def test_a_thread_that_was_free_ends_the_overload_of_threads(loop):
    loop.fall_behind()
    loop.gate.queue.emptied()
    background = loop.gate.lane(BATCH, b"")
    assert loop.gate.enter(background, waited=0, now=loop.now)


def test_who_hangs_on_a_store_keeps_no_recommendation_out(loop):
    events = loop.gate.lane("/v1/events", b"")
    held = [loop.gate.enter(events, waited=0, now=loop.now) for _ in range(FIRST + 1)]
    assert held == [True] * FIRST + [False]
    assert loop.answer(RECOMMENDATIONS, each_seconds=0.0001) == [True]


def test_slow_answers_cut_a_lane_once_for_all_in_flight_and_never_below_the_least(loop):
    lane = loop.gate.lane("/v1/products", b"")
    for _ in range(10):
        loop.gate.enter(lane, waited=0, now=1.0)
    for _ in range(10):
        lane.leave(1.0, 3.0)
    assert lane.limit == FIRST * 0.9
    for second in range(10, 100, 2):
        loop.gate.enter(lane, waited=0, now=second)
        lane.leave(second, second + 1.5)
    assert lane.limit == LEAST


def test_answers_in_time_raise_the_limit_of_a_lane_in_use(loop):
    lane = loop.gate.lane("/v1/products", b"")
    for _ in range(FIRST):
        loop.gate.enter(lane, waited=0, now=1.0)
    lane.leave(1.0, 1.1)
    assert lane.limit == FIRST + 1


def test_who_asks_for_the_least_urgency_is_in_the_background():
    assert Gate().lane(RECOMMENDATIONS, b"u=7").priority == "low"
    assert Gate().lane(RECOMMENDATIONS, b"u=7, i").priority == "low"
    assert Gate().lane(RECOMMENDATIONS, b"u=3, i").priority == "high"


@pytest.mark.parametrize(
    ("path", "lane"),
    [
        *((path, "background") for path in (BATCH, "/v1/imports/products")),
        *((path, "pages") for path in ("/", "/admin/", "/shop/", "/explore/", "/docs")),
        *((path, "files") for path in (FILE, "/static/storefront/css/frame.css")),
    ],
)
def test_a_path_that_is_no_public_call_is_a_page_or_a_file(path, lane):
    assert Gate().lane(path, b"").name == lane


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, status=200, body=b"", media_type="text/plain")


async def _ready() -> dict[str, str]:
    return {}


@pytest.fixture
def full(monkeypatch) -> Gate:
    """A process whose lanes take nothing more."""
    gate = Gate()
    for path in (RECOMMENDATIONS, BATCH):
        gate.lane(path, b"").limit = 0
    monkeypatch.setattr(overload, "gate", gate)
    return gate


async def _ask(path: str) -> httpx2.Response:
    app = shell(_app, component="test", readiness=_ready)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.post(path, json={})


async def test_a_refusal_is_a_problem_document_that_says_when_to_come_back(full):
    refused = await _ask(RECOMMENDATIONS)
    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] in {"1", "2", "3"}
    assert refused.headers["x-request-id"] == refused.json()["request_id"]


async def test_refusals_are_counted_by_priority(full):
    name, labels = "multireco_shed_total", {"priority": "low", "lane": "background"}
    before = metrics.registry.get_sample_value(name, labels) or 0
    await _ask(BATCH)
    assert metrics.registry.get_sample_value(name, labels) == before + 1


async def test_probes_are_answered_by_a_process_that_is_full(full):
    assert (await _ask("/livez")).status_code == 200


async def test_nothing_stays_in_flight_after_its_answer(monkeypatch):
    monkeypatch.setattr(overload, "gate", Gate())
    await _ask(RECOMMENDATIONS)
    told = {
        sample.labels["lane"]: sample.value for sample in list(overload.gate.collect())[0].samples
    }
    assert told["recommendations"] == 0
