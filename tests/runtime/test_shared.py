"""Values that all processes share through Redis."""

import asyncio
import socket
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from runtime import metrics, redis, settings, shared
from runtime.shared import Shared
from tests.faults.proxy import FaultProxy


class Unavailable(Exception):
    pass


class Source:
    """Makes of each name its capitals and how often anything was made; none of “nobody”."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.away = False
        self.seconds = 0.02

    async def make(self, names):
        self.asked.append(list(names))
        await asyncio.sleep(self.seconds)
        if self.away:
            raise Unavailable
        told = f" {len(self.asked)}"
        return {name: (name.upper() + told).encode() for name in names if name != "nobody"}


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def process(source):
    """Makes the values of this test as each process has them."""
    kind = uuid4().hex

    def values() -> Shared:
        return Shared(kind, source.make, fresh_seconds=10, spare_seconds=60, failure=Unavailable)

    return values


@pytest.fixture
def clock(monkeypatch):
    """Puts the clock forward by seconds."""
    now = 1_800_000_000.0

    def forward(seconds: float) -> None:
        nonlocal now
        now += seconds
        monkeypatch.setattr(shared, "time", lambda: now)

    forward(0)
    return forward


@pytest.fixture
def redis_at(monkeypatch):
    """Has this test's loop look for Redis at a port of this machine."""

    def use(port: int) -> None:
        there = settings.current().model_copy(update={"redis_url": f"redis://127.0.0.1:{port}/0"})
        monkeypatch.setattr(settings, "current", lambda: there)

    return use


@pytest.fixture
def kept_port():
    """Where the Redis of the tests listens."""
    return urlsplit(settings.current().redis_url).port


async def bodies(values: Shared, *names: str) -> dict[str, bytes]:
    found = await values.read(names)
    return {name: value.body for name, value in found.values.items()}


async def test_what_one_process_made_another_need_not_make(process, source):
    assert await bodies(process(), "a", "b") == {"a": b"A 1", "b": b"B 1"}
    assert await bodies(process(), "b", "a") == {"b": b"B 1", "a": b"A 1"}
    assert source.asked == [["a", "b"]]


async def test_many_who_ask_at_once_have_it_made_once(process, source):
    values = process()
    asked = [("a",), ("a", "b"), ("b", "c"), ("c", "a")] * 25

    found = await asyncio.gather(*(bodies(values, *names) for names in asked))

    assert sorted(name for names in source.asked for name in names) == ["a", "b", "c"]
    assert [list(each) for each in found] == [list(names) for names in asked]


async def test_without_redis_many_who_ask_at_once_have_it_made_once(process, source, redis_at):
    redis_at(1)
    values = process()
    found = await asyncio.gather(*(bodies(values, "a") for _ in range(50)))
    assert found == [{"a": b"A 1"}] * 50
    assert source.asked == [["a"]]


async def test_one_who_gives_up_takes_nothing_from_the_others(process, source):
    values = process()
    impatient = asyncio.create_task(bodies(values, "a"))
    patient = asyncio.create_task(bodies(values, "a"))
    await asyncio.sleep(0.01)
    impatient.cancel()
    assert await patient == {"a": b"A 1"}
    assert source.asked == [["a"]]


async def test_what_there_is_none_of_is_left_out(process):
    found = await process().read(["nobody", "a"])
    assert list(found.values) == ["a"]
    assert found.trouble is None


async def test_what_is_nearly_out_of_date_is_made_anew_beside_its_readers(process, source, clock):
    values = process()
    await bodies(values, "a")
    clock(8)
    assert await asyncio.gather(*(bodies(values, "a") for _ in range(9))) == [{"a": b"A 1"}] * 9
    await asyncio.sleep(0.1)
    assert await bodies(values, "a") == {"a": b"A 2"}
    assert source.asked == [["a"]] * 2


async def test_what_is_out_of_date_is_made_before_it_is_read(process, clock):
    values = process()
    await bodies(values, "a")
    clock(11)
    assert await bodies(values, "a") == {"a": b"A 2"}


async def test_what_cannot_be_made_is_given_as_it_was(process, source, clock):
    values = process()
    await bodies(values, "a")
    source.away = True
    clock(11)
    found = await values.read(["a", "b"])
    assert {name: value.body for name, value in found.values.items()} == {"a": b"A 1"}
    assert isinstance(found.trouble, Unavailable)


async def test_who_reads_in_bad_times_waits_once_at_most(process, source, clock):
    values = process()
    await bodies(values, "a")
    source.away = True
    clock(11)
    await values.read(["a"])
    source.seconds = 60

    async with asyncio.timeout(5):
        found = await values.read(["a"])

    assert found.values["a"].body == b"A 1"
    assert isinstance(found.trouble, Unavailable)


async def test_when_times_are_good_again_it_is_made_anew(process, source, clock):
    values = process()
    await bodies(values, "a")
    source.away = True
    clock(11)
    await values.read(["a"])
    source.away = False
    await values.read(["a"])
    await asyncio.sleep(0.1)

    found = await values.read(["a"])

    assert (found.values["a"].body, found.trouble) == (b"A 3", None)


async def test_what_is_gone_does_not_come_back_in_bad_times(process, source, clock, monkeypatch):
    values = process()
    await bodies(values, "a")
    clock(11)
    monkeypatch.setattr(values, "_make", nothing)
    assert await bodies(values, "a") == {}
    source.away = True
    monkeypatch.setattr(values, "_make", source.make)
    assert await bodies(values, "a") == {}


async def test_a_clock_that_was_put_back_keeps_nothing_fresh(process, clock):
    values = process()
    await bodies(values, "a")
    clock(-3600)
    assert await bodies(values, "a") == {"a": b"A 2"}


async def test_what_is_too_short_to_be_a_value_is_made_anew(process, source):
    values = process()
    await redis.keep({values._key("a"): b"short"}, seconds=10)
    assert await bodies(values, "a") == {"a": b"A 1"}
    assert await bodies(process(), "a") == {"a": b"A 1"}


async def test_a_redis_that_hangs_costs_a_moment(process, redis_at):
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as hung:
        redis_at(hung.getsockname()[1])
        values, began = process(), loop.time()
        assert await bodies(values, "a") == {"a": b"A 1"}
        assert loop.time() - began < 1
        for _ in range(5):
            await bodies(values, "a")
        began = loop.time()
        assert await bodies(values, "a") == {"a": b"A 7"}
        assert loop.time() - began < redis.TIMEOUT_SECONDS + 0.5


def _failed() -> float:
    labels = {"component": "", "dependency": "redis", "outcome": "failed"}
    name = "multireco_dependency_duration_seconds_count"
    return metrics.registry.get_sample_value(name, labels) or 0


async def test_nobody_waits_to_find_out_whether_a_redis_that_hung_is_back(redis_at, kept_port):
    proxy = FaultProxy(kept_port)
    redis_at(await proxy.open())
    name = uuid4().hex
    await redis.keep({name: b"1"}, seconds=60)
    await proxy.blackhole()
    for _ in range(5):
        assert await redis.read([name]) == {}
    await asyncio.sleep(2.1)  # a trial is due
    trials = redis._lent[asyncio.get_running_loop()].trials
    failed = _failed()
    for _ in range(3):
        assert await redis.read([name]) == {}
        assert len(trials) == 1  # still under way, and no other
    await asyncio.wait(trials)
    assert _failed() == failed + 1
    await proxy.heal()
    async with asyncio.timeout(10):
        while not await redis.read([name]):
            await asyncio.sleep(0.1)
    assert await redis.read([name]) == {name: b"1"}
    await proxy.close()


async def nothing(names):
    return {}
