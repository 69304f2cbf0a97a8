"""What comes in after a training is felt, once, whatever happens to those who tell of it."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import numpy as np
import pytest
import redis
from django.db import OperationalError

from reco_app.engine.delta import Reader, Recent
from reco_app.engine.model import Model
from reco_app.engine.rank import SOURCES, ContextItem, rank
from reco_app.events import days, effect, messages, store, stream
from reco_app.events.anonymity import day_of
from reco_app.events.models import Event
from reco_app.events.senders import Sender
from reco_app.events.store import StoredEvent
from reco_app.serving import canonical, delta, explain, live, plain, running, service
from reco_app.serving.contracts import Request, RequestItem, WhyRequest
from tests.reco_app.serving import examples

pytestmark = pytest.mark.django_db
NEW = SOURCES.index("session")


@pytest.fixture(autouse=True)
def at_the_start(shop, monkeypatch):
    """A release that is trained on all that is stored so far, an empty stream, and no waiting."""
    stream._client().flushdb()
    delta.start_again()
    monkeypatch.setattr(delta, "BUILD_SECONDS", 0.0)
    shop(engine=_trained(days.newest()))
    yield
    delta.start_again()


def _trained(cut: int) -> Model:
    built = examples.MODEL
    manifest = {**built.manifest, "cut": cut, "trained_at": "2026-11-22T00:00:00+00:00"}
    return Model(built.index, built.item_ids, built.parameters, manifest)


def visits(*sessions: int, items: tuple[str, ...] = ("p05", "p25"), **fields) -> list[StoredEvent]:
    """Sessions, each with all of these items, as they are stored."""
    now = datetime.now(UTC) - timedelta(seconds=1)
    if day_of(now) != day_of(now + timedelta(seconds=1)):
        now += timedelta(seconds=1)
    given = {"event_type": "view", "quantity": 1, "price": None}
    return [
        StoredEvent(
            event_id=uuid4().hex,
            session_hash=session,
            item_id=item_id,
            occurred_at=now + timedelta(microseconds=step),
            **(given | fields),
        )
        for session in sessions
        for step, item_id in enumerate(items)
    ]


def stored(events: list[StoredEvent]) -> list[StoredEvent]:
    store.add(events)
    return events


def come_in(*sessions: int, **fields) -> list[StoredEvent]:
    """Sessions are stored and told of."""
    events = stored(visits(*sessions, **fields))
    stream.tell(events, now=datetime.now(UTC))
    return events


def after(item_id: str) -> list[str]:
    """What session kNN recommends after an item."""
    model = live.current().model
    mask = np.ones(len(model.item_ids), np.uint8)
    place = model.items[item_id]
    mask[place] = 0
    ranked = rank(model, [ContextItem(place)], scenario="session", mask=mask, count=5)
    found = zip(ranked.items, ranked.sources, strict=True)
    return [model.item_ids[item] for item, source in found if source == NEW]


def test_a_third_session_completes_a_pair_for_everybody():
    delta.follow()
    come_in(1, 2)
    delta.follow()
    assert "p25" not in after("p05")

    come_in(3)
    delta.follow()

    assert "p25" in after("p05")
    assert "p05" in after("p25")


def test_what_came_in_before_the_start_is_read():
    stored(visits(1, 2, 3))

    delta.follow()

    assert "p25" in after("p05")


def test_a_session_that_grows_counts_once():
    delta.follow()
    events = visits(1, 1, 1, 1)
    for first in range(0, len(events), 2):
        stream.tell(stored(events[first : first + 2]), now=datetime.now(UTC))
        delta.follow()

    assert "p25" not in after("p05")


def test_telling_twice_and_in_another_order_changes_nothing():
    delta.follow()
    events = [come_in(session) for session in (1, 2, 3)]
    delta.follow()
    before = live.current()
    for told in reversed(events):
        stream.tell(told, now=datetime.now(UTC))
    delta.follow()

    assert live.current() is before


def test_an_emptied_redis_loses_nothing():
    delta.follow()
    come_in(1, 2, 3)
    stream._client().flushall()
    come_in(4)

    delta.follow()

    assert "p25" in after("p05")
    come_in(5, 6, 7, items=("p08", "p20"))
    delta.follow()
    assert "p20" in after("p08")


def test_a_stream_that_was_cut_short_loses_nothing():
    delta.follow()
    come_in(1, 2, 3)
    stream._client().xtrim(stream.STREAM, maxlen=0, approximate=False)

    delta.follow()

    assert "p25" in after("p05")


def test_answers_keep_what_they_felt_while_both_stores_are_away(monkeypatch):
    delta.follow()
    come_in(1, 2, 3)
    delta.follow()
    stream._client().flushall()
    with monkeypatch.context() as bad_times:
        bad_times.setattr(delta.recent, "since", _away)
        with pytest.raises(OperationalError):
            delta.follow()
    assert "p25" in after("p05")

    come_in(4, 5, 6, items=("p08", "p20"))
    delta.follow()
    assert "p20" in after("p08")


def _away(*_, **__):
    raise OperationalError("PostgreSQL is away")


@pytest.mark.parametrize(
    "fields", [{"m": b"[0.0"}, {"m": b'[0.0,[[1,1,[["p05",4,0,0.0,1]]]]]'}, {"other": b""}]
)
def test_a_message_of_another_version_holds_up_none_of_the_others(fields):
    delta.follow()
    stream._client().xadd(stream.STREAM, fields)
    come_in(1, 2, 3)

    delta.follow()

    assert "p25" in after("p05")


def test_messages_do_not_stay_in_redis(monkeypatch):
    delta.follow()
    come_in(1, 2, 3)
    delta.follow()
    monkeypatch.setattr(delta, "READ_SECONDS", 0.0)
    monkeypatch.setattr(stream, "KEPT_SECONDS", 0)
    time.sleep(0.01)

    delta.follow()

    assert stream._client().xlen(stream.STREAM) == 0
    assert "p25" in after("p05")


def test_without_redis_new_events_are_read_in_postgresql(monkeypatch):
    delta.follow()
    gone = redis.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.1)
    monkeypatch.setattr(stream, "_client", lambda: gone)
    monkeypatch.setattr(delta, "READ_SECONDS_AWAY", 0.0)
    come_in(1, 2, 3)

    delta.follow()

    assert "p25" in after("p05")
    assert running.conditions()["delta"] == "ok"


def test_what_was_never_told_is_found_in_a_while(monkeypatch):
    delta.follow()
    stored(visits(1, 2, 3))
    monkeypatch.setattr(delta, "READ_SECONDS", 0.0)

    delta.follow()

    assert "p25" in after("p05")


def test_a_forgotten_session_counts_no_more_even_if_it_is_told_of_late():
    delta.follow()
    come_in(1, 2)
    third = come_in(3)
    late = _messages()
    delta.follow()
    assert "p25" in after("p05")

    Event.objects.filter(session_hash=3).delete()
    stream.tell(third, now=datetime.now(UTC))  # there is nothing left to tell
    delta.follow()
    assert "p25" not in after("p05")
    stream._send(late[-1])
    delta.follow()
    assert "p25" not in after("p05")


def _messages():
    return stream.read(stream.Place("0-0", 0))[0]


def test_what_a_release_was_trained_on_counts_in_it_alone():
    delta.follow()
    come_in(1, 2, 3)
    delta.follow()
    older = live.current().model.release

    live.change(lambda state: replace(state, model=_trained(days.newest())))
    delta.follow()

    assert not len(live.current().model.pairs.items)
    live.change(lambda state: replace(state, model=older))
    delta.follow()
    assert "p25" in after("p05")


def test_a_new_release_answers_with_its_delta_from_the_first_moment():
    delta.follow()
    come_in(1, 2, 3)
    delta.follow()
    state = live.current()

    taken = delta.on(replace(state, model=_trained(state.model.manifest["cut"])))

    assert len(taken.model.pairs.items) == 2


def test_events_without_a_session_make_a_product_popular():
    delta.follow()
    popular = live.current().model.index.popular[9]
    come_in(None, None, items=("p09",), event_type="purchase")
    delta.follow()

    assert live.current().model.index.popular[9] == popular + 6


def test_what_happened_long_ago_waits_for_the_next_training():
    delta.follow()
    long_ago = datetime.now(UTC) - timedelta(days=4)
    stored([event._replace(occurred_at=long_ago) for event in visits(1, 2, 3)])
    delta.start_again()
    delta.follow()

    assert not len(live.current().model.pairs.items)


def test_a_release_that_does_not_tell_its_cut_is_left_alone(shop):
    shop()
    stored(visits(1, 2, 3))
    delta.follow()

    assert live.current().model is examples.MODEL


async def test_an_answer_and_its_replay_tell_of_which_events_they_know():
    request = Request(items=(RequestItem("p05"),))
    answer = await service.recommend(request, now=examples.NOW)
    state = live.current()
    together = Reader(state.model).read(_three_visits(), cut=0, since=0.0, position=77)
    live.change(lambda state: replace(state, model=state.model.with_delta(together)))

    why = await explain.why(WhyRequest(answer.recommendation_id, request))

    assert (why.delta_position, why.delta_position_now) == (0, 77)
    assert why.release == state.model.version


async def test_both_ways_to_an_answer_feel_the_same():
    """The compiled one and the whole one; counts of reasons too."""
    together = Reader(live.current().model).read(_three_visits(), cut=0, since=0.0, position=77)
    live.change(lambda state: replace(state, model=state.model.with_delta(together)))
    request = Request(items=(RequestItem("p05"),), count=3)

    whole = await service.recommend(request, now=examples.NOW)
    compiled = plain.encoded(request, canonical.digest(request), live.current(), now=examples.NOW)

    assert compiled is not None
    assert msgspec.json.decode(compiled) == msgspec.json.decode(msgspec.json.encode(whole))
    assert any(item.item_id == "p25" and item.reasons[0].count == 3 for item in whole.items)


def _three_visits() -> Recent:
    """Of p05, then p25, and p04 then p05, three times each."""
    rows = [
        (session, item, 0, step, 0.0, 1)
        for session in range(6)
        for step, item in enumerate((5, 25) if session % 2 else (4, 5))
    ]
    types = (np.int32, np.int32, np.uint8, np.int32, np.float64, np.int64)
    columns = zip(*rows, strict=True)
    return Recent(*(np.array(column, kind) for column, kind in zip(columns, types, strict=True)))


def test_readiness_tells_when_nothing_can_be_followed(monkeypatch):
    assert running.conditions()["delta"] == "not read since the start"
    delta.follow()
    monkeypatch.setattr(delta, "MOST_SILENT_SECONDS", -1.0)

    assert running.conditions()["delta"].startswith("not followed for")


def test_a_delivery_is_felt_as_soon_as_answers_have_its_sessions(monkeypatch):
    taken = []
    monkeypatch.setattr(effect.seconds, "observe", taken.append)
    delta.follow()
    events = stored(visits(1, 2, 3))
    delivery = messages.new(
        events=events, rejected=[], sender=Sender(1, keyed=False), received_at=datetime.now(UTC)
    )

    effect.began(delivery)
    delta.follow()
    assert taken == []
    stream.tell(events, now=datetime.now(UTC), delivery=delivery.name)
    delta.follow()

    assert len(taken) == 1
    assert "p25" in after("p05")


def test_what_is_on_its_way_while_redis_goes_away_is_not_measured(monkeypatch):
    taken = []
    monkeypatch.setattr(effect.seconds, "observe", taken.append)
    monkeypatch.setattr(effect, "LATE_SECONDS", 0.0)
    delta.follow()
    effect.began(
        messages.new(
            events=visits(1),
            rejected=[],
            sender=Sender(1, keyed=False),
            received_at=datetime.now(UTC),
        )
    )
    monkeypatch.setattr(stream, "read", fail(redis.ConnectionError("away")))

    delta.follow()

    assert taken == []


def fail(error: Exception):
    def raising(*_):
        raise error

    return raising
