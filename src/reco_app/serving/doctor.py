"""Whether each thing that recommendations lean on answers, and what to do where it does not."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any, NamedTuple

import redis
from amqp.exceptions import NotFound
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.connection import Connection
from kombu.exceptions import OperationalError

from reco_app.broker import parted
from reco_app.curation import outbox
from reco_app.engine import release
from reco_app.engine.sealed import ReleaseCorrupt, verify
from reco_app.settings import current
from reco_app.worker import app
from runtime import rest

SLOW_SECONDS = 0.25
DEADLINE_SECONDS = 2.0
STALE = timedelta(hours=26)  # one is trained each night
LATE = timedelta(seconds=30)  # a change is in the catalogue within one


class Trouble(Exception):
    """A thing does not do its part, or late; `advice` says what to do about it."""

    def __init__(self, why: str, advice: str, *, state: str = "down") -> None:
        super().__init__(why)
        self.advice = advice
        self.state = state


class Finding(NamedTuple):
    """`state` is ok, slow or down."""

    name: str
    state: str
    seconds: float
    detail: str
    advice: str


def examine() -> list[Finding]:
    """Every check, one after the other; each ends within seconds."""
    return [_finding(name, check) for name, check in CHECKS.items()]


def _finding(name: str, check: Callable[[], str]) -> Finding:
    started = perf_counter()
    try:
        detail = check()
    except Trouble as trouble:
        seconds = perf_counter() - started
        return Finding(name, trouble.state, seconds, str(trouble), trouble.advice)
    seconds = perf_counter() - started
    if seconds > SLOW_SECONDS and check not in (_model_store, _live_release):
        advice = "It answers, but slowly: look at its load and at the network between."
        return Finding(name, "slow", seconds, detail, advice)
    return Finding(name, "ok", seconds, detail, "")


def _postgresql() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = cursor.fetchone()[0]
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        advice = "Start PostgreSQL, or correct MULTIRECO_DATABASE_URL. Answers go on without it."
        raise Trouble(_line(error), advice) from error
    if waiting:
        raise Trouble(f"{len(waiting)} migrations wait", "Run `manage.py migrate`.")
    return f"version {version}"


def _mongodb() -> str:
    advice = (
        "Start catalog and its MongoDB, or correct MULTIRECO_CATALOG_URL and "
        "MULTIRECO_MONGODB_URL. Answers go on with the cards of the release."
    )
    products = _asked("catalog", current().catalog_url, "/v1/products?limit=1", advice)
    return "catalog answers" if products["products"] else "catalog answers; it has no products yet"


def _profile() -> str:
    advice = "Start profile, or correct MULTIRECO_PROFILE_URL. Answers go on without leaning."
    _asked("profile", current().profile_url, "/v1/profiles?limit=1", advice)
    return "profile answers"


def _asked(name: str, url: str, path: str, advice: str) -> dict[str, list[object]]:
    try:
        reply = rest.connect(name, url).get_sync(path, deadline_seconds=DEADLINE_SECONDS)
        if reply.status != 200:
            raise rest.Unavailable(name, f"it answered {reply.status}")
        answer: dict[str, list[object]] = reply.json()
    except rest.Unavailable as error:
        raise Trouble(error.why, advice) from error
    return answer


def _redis() -> str:
    try:
        with redis.Redis.from_url(
            current().redis_url,
            socket_timeout=DEADLINE_SECONDS,
            socket_connect_timeout=DEADLINE_SECONDS,
        ) as client:
            client.ping()
    except redis.RedisError as error:
        advice = "Start Redis, or correct MULTIRECO_REDIS_URL. Answers go on without it."
        raise Trouble(_line(error), advice) from error
    return "it answers"


def _broker() -> str:
    address, tls = parted(current().broker_url)
    try:
        with Connection(  # type: ignore[no-untyped-call]  # kombu ships no types
            address, ssl=tls, connect_timeout=DEADLINE_SECONDS
        ) as broker:
            broker.ensure_connection(max_retries=1, timeout=DEADLINE_SECONDS)
            return _consumed(broker) if current().broker_url.startswith("amqp") else "it answers"
    except (OperationalError, OSError) as error:
        advice = (
            "Start the broker, or correct MULTIRECO_BROKER_URL. Until then nothing is trained or "
            "projected by the worker; events are kept in PostgreSQL."
        )
        raise Trouble(_line(error), advice) from error


def _consumed(broker: Any) -> str:
    """What waits in RabbitMQ's queues, each of which some worker must take from."""
    advice = "Start the role worker. What waits in the queue stays there until then."
    waiting = 0
    for queue in app.conf.task_queues:
        try:
            told = broker.default_channel.queue_declare(queue.name, passive=True)
        except NotFound as error:
            raise Trouble(f"there is no queue {queue.name}", advice) from error
        if not told.consumer_count:
            raise Trouble(f"nobody takes the {told.message_count} of {queue.name}", advice)
        waiting += told.message_count
    return f"RabbitMQ {broker.connection.server_properties['version']}, {waiting} tasks wait"


def _relay() -> str:
    try:
        state = outbox.backlog(now=datetime.now(UTC))
    except DatabaseError as error:
        raise Trouble(_line(error), "See PostgreSQL.") from error
    if state.lag > LATE:
        why = f"{state.waiting} changes wait, the oldest for {state.lag.total_seconds():.0f} s"
        raise Trouble(why, "Is the role relay running, and does catalog answer it?", state="slow")
    if state.refused:
        advice = "The outbox in the admin says why catalog does not take them."
        raise Trouble(f"{state.refused} changes are refused", advice, state="slow")
    return f"{state.waiting} changes wait"


def _model_store() -> str:
    folder = current().model_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            kept = len(release.releases(folder))
    except OSError as error:
        advice = f"Make {folder} writable, or correct MULTIRECO_MODEL_DIR."
        raise Trouble(_line(error), advice) from error
    return f"{kept} release{'' if kept == 1 else 's'} in {folder}"


def _live_release() -> str:
    folder = current().model_dir
    version = release.live_version(folder)
    if version is None:
        raise Trouble("there is none yet", "Import events and run `manage.py train`.")
    try:
        manifest = verify(release.release_path(folder, version))
    except ReleaseCorrupt as error:
        advice = "Run `manage.py releases --rollback VERSION`, or train a new one."
        raise Trouble(str(error), advice) from error
    trained_at = datetime.fromisoformat(manifest["trained_at"])
    age = datetime.now(UTC) - trained_at
    told = f"{version}, {age.total_seconds() / 3600:.0f} hours old"
    if age > STALE:
        advice = "Does the timetable run (beat and worker, or the CronJob)? Or `manage.py train`."
        raise Trouble(told, advice, state="slow")
    return told


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


CHECKS: dict[str, Callable[[], str]] = {
    "PostgreSQL": _postgresql,
    "MongoDB (through catalog)": _mongodb,
    "profile": _profile,
    "Redis": _redis,
    "broker": _broker,
    "relay": _relay,
    "model store": _model_store,
    "live release": _live_release,
}
