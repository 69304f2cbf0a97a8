"""What is broken in each drill: entered, it is broken; left, it is healed."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg2
import redis

from bench.drills import disks
from bench.drills.site import Site
from reco_app.engine import release, sealed
from runtime.local.processes import wait_until_ready
from runtime.local.servers import stop_all

JUMP_HOURS = 2
JUMP_SECONDS = 6.0
LONGEST_TRAINING_SECONDS = 120
KILLED_TRAININGS = 3
LATEST_KILL_SECONDS = 5.0


class Missed(Exception):
    """Something other than answers and events was not as it must be in this drill."""


class Drill(NamedTuple):
    """A fault and how long it lasts."""

    fault: Callable[[Site], AbstractContextManager[None]]
    seconds: float = 10.0
    heals_itself: bool = False  # others take over: recovery counts from the fault on
    prepare: Callable[[Site], None] | None = None  # before anything is asked
    baseline: bool = True
    noise: float = 0.0  # the share of batches of events that come again, reversed and late


@contextmanager
def nothing(_: Site) -> Iterator[None]:
    yield


@contextmanager
def web_killed(site: Site) -> Iterator[None]:
    site.kill("reco")
    yield
    site.start("reco").wait_until_ready()


@contextmanager
def worker_killed(site: Site) -> Iterator[None]:
    """In mid batch: it waits for a lock, within its transaction."""
    with closing(psycopg2.connect(site.shop.environment["MULTIRECO_DATABASE_URL"])) as connection:
        cursor = connection.cursor()
        cursor.execute("LOCK TABLE events_eventid IN EXCLUSIVE MODE")
        _wait_for(lambda: _waits_for_a_lock(cursor), "no worker stores anything")
        site.kill("worker")
    yield
    site.start("worker")


@contextmanager
def trainer_killed(site: Site) -> Iterator[None]:
    """Several times, at random moments before it has published; the next one succeeds."""
    killed, latest = 0, LATEST_KILL_SECONDS
    while killed < KILLED_TRAININGS:
        live = release.live_version(site.models)
        training = site.train()
        time.sleep(random.uniform(0.4 * latest, latest))
        os.killpg(training.pid, signal.SIGKILL)
        has_ended = training.wait() == 0
        has_published = (after := release.live_version(site.models)) != live
        if has_published:
            _require_whole(site.models, after)
        if has_ended or has_published:  # a quick machine
            latest /= 2
        else:
            killed += 1
    yield
    _train_to_the_end(site)


@contextmanager
def redis_flushed(site: Site) -> Iterator[None]:
    with redis.Redis.from_url(site.stores.redis.address) as client:
        client.flushall()
    yield


@contextmanager
def redis_stopped(site: Site) -> Iterator[None]:
    os.kill(site.stores.redis_process(), signal.SIGKILL)
    site.stores.redis.stop()
    yield
    site.stores.redis.start()


@contextmanager
def redis_hung(site: Site) -> Iterator[None]:
    process = site.stores.redis_process()
    os.kill(process, signal.SIGSTOP)
    yield
    os.kill(process, signal.SIGCONT)


@contextmanager
def mongo_slow(site: Site) -> Iterator[None]:
    site.stores.mongodb_proxy.proxy.delay_seconds = 0.5
    yield
    site.stores.mongodb_proxy.proxy.delay_seconds = 0.0


@contextmanager
def mongo_stopped(site: Site) -> Iterator[None]:
    site.stores.mongodb.stop()
    yield
    site.stores.mongodb.start()


@contextmanager
def postgres_restarted(site: Site) -> Iterator[None]:
    site.stores.kill_postgres()
    yield
    site.stores.postgres.start()


@contextmanager
def rabbitmq_stopped(site: Site) -> Iterator[None]:
    site.stores.rabbitmq.stop()
    yield
    site.stores.rabbitmq.start()


@contextmanager
def disk_full(site: Site) -> Iterator[None]:
    """PostgreSQL's and that of the releases, on which a training must fail without harm."""
    live = release.live_version(site.models)
    with disks.full(site.stores.disk), disks.full(site.models):
        if _ended(site.train()) == 0:
            raise Missed("a training succeeded on a full disk")
        if release.live_version(site.models) != live:
            raise Missed("a training that failed changed the live release")
        yield
    site.stores.revive_postgres()


@contextmanager
def clock_jumped(site: Site) -> Iterator[None]:
    """Two hours ahead, then two hours behind, then right; for every process of the product."""
    _move_clock(site, JUMP_HOURS)
    time.sleep(JUMP_SECONDS)
    _move_clock(site, -JUMP_HOURS)
    yield
    _move_clock(site, 0)


def have_a_clock(site: Site) -> None:
    """Start every process anew, with a clock that a file moves. Monotonic time is left alone."""
    folder = site.shop.logs.parent
    source = Path(__file__).with_name("clock.c")
    library, offset = folder / "clock.so", folder / "clock"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", str(source), "-o", str(library)], check=True)
    offset.write_bytes(bytes(8))
    given = {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)}
    stop_all(site.processes.running.values())
    for name in list(site.processes.running):
        site.start(name, given=given)
    wait_until_ready(site.processes)
    _wait_for(site.ready, "the processes are not ready with a clock of their own", 60)


def _move_clock(site: Site, hours: int) -> None:
    with (site.shop.logs.parent / "clock").open("r+b") as offset:
        offset.write((hours * 3600).to_bytes(8, "little", signed=True))


@contextmanager
def all_down_at_start(site: Site) -> Iterator[None]:
    yield
    for store in site.stores.each():
        store.start()


def start_without_stores(site: Site) -> None:
    """Returns when the gateway would send requests to reco: its processes say that they are."""
    stop_all(site.processes.running.values())
    for store in site.stores.each():
        store.stop()
    for name in list(site.processes.running):
        site.start(name)
    for name in ("reco", "reco-2"):
        site.processes.running[name].wait_until_ready(60)


DRILLS = {
    "web_killed": Drill(web_killed, heals_itself=True),
    "worker_killed": Drill(worker_killed, heals_itself=True),
    "trainer_killed": Drill(trainer_killed, heals_itself=True),
    "redis_flushed": Drill(redis_flushed, seconds=8, heals_itself=True),
    "redis_stopped": Drill(redis_stopped),
    "redis_hung": Drill(redis_hung),
    "mongo_slow": Drill(mongo_slow),
    "mongo_stopped": Drill(mongo_stopped),
    "postgres_restarted": Drill(postgres_restarted, seconds=6),
    "rabbitmq_stopped": Drill(rabbitmq_stopped, seconds=20),
    "disk_full": Drill(disk_full),
    "reordered": Drill(nothing, noise=0.1, heals_itself=True),
    "clock_jumped": Drill(clock_jumped, seconds=JUMP_SECONDS, prepare=have_a_clock),
    "all_down_at_start": Drill(all_down_at_start, prepare=start_without_stores, baseline=False),
}


def _require_whole(models: Path, version: str | None) -> None:
    try:
        sealed.verify(release.release_path(models, version or ""))
    except sealed.ReleaseCorrupt as trouble:
        raise Missed("a killed training left a broken release live") from trouble


def _train_to_the_end(site: Site) -> None:
    before = release.live_version(site.models)
    if _ended(site.train()):
        raise Missed("the training after the fault failed; see logs/train.log")
    if release.live_version(site.models) == before:
        raise Missed("the training after the fault changed nothing")


def _ended(training: "subprocess.Popen[bytes]") -> int:
    try:
        return training.wait(LONGEST_TRAINING_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(training.pid, signal.SIGKILL)
        raise Missed("a training did not end; see logs/train.log") from None


def _waits_for_a_lock(cursor: "psycopg2.extensions.cursor") -> bool:
    cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
    return bool(cursor.fetchone()[0])


def _wait_for(seen: Callable[[], bool], otherwise: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > deadline:
            raise Missed(otherwise)
        time.sleep(0.05)
