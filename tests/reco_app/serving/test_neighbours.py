"""What an answer is when catalog, profile or Redis do not answer, or answer late."""

import asyncio
from time import time

import msgspec
import pytest

from reco_app.serving import clients, live, profiles, service
from reco_app.serving.cards import Cards
from reco_app.serving.contracts import Request, RequestItem
from reco_app.serving.lean import Profile, Weights
from runtime import settings
from runtime.rest import Reply, Unavailable
from tests.reco_app.serving.examples import NOW, product

GARDENER = Profile("gardener", 1, Weights(category={"Home > Garden": 3.0, "Books": 0.1}))


async def answered(**asked):
    return await service.recommend(Request(**asked), now=NOW)


@pytest.fixture
def no_redis(monkeypatch):
    nowhere = settings.current().model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    monkeypatch.setattr(settings, "current", lambda: nowhere)


def profile_is(monkeypatch, profile):
    async def told(slug):
        if isinstance(profile, Exception):
            raise profile
        return profile

    monkeypatch.setattr(clients, "profile", told)


def later(monkeypatch):
    """Nothing that is known is fresh any more."""
    monkeypatch.setattr("reco_app.serving.profiles.monotonic", lambda: 1e12)
    monkeypatch.setattr("runtime.shared.time", lambda: time() + 60)


def without_cards(shop, monkeypatch, catalog):
    state = shop()
    emptied = live.state_of(state.model, state.shelf, state.curation, Cards())
    monkeypatch.setattr(live, "_state", emptied)

    async def told(item_ids):
        if isinstance(catalog, Exception):
            raise catalog
        return {item_id: catalog(item_id) for item_id in item_ids}

    monkeypatch.setattr(clients, "cards", told)


async def test_a_profile_leans_the_order_to_what_it_likes(shop, monkeypatch):
    shop()
    profile_is(monkeypatch, GARDENER)
    plain = await answered(items=(RequestItem("p19"),), count=2)
    leaned = await answered(items=(RequestItem("p19"),), count=2, profile="gardener")
    assert [item.item_id for item in plain.items] == ["p20", "p18"]
    assert [item.item_id for item in leaned.items] == ["p18", "p20"]


async def test_without_the_profile_service_the_answer_is_full_and_says_so(shop, monkeypatch):
    shop()
    profile_is(monkeypatch, Unavailable("profile", "away"))
    answer = await answered(profile="gardener")
    assert len(answer.items) == 12
    assert answer.degraded == ["profile"]


async def test_a_known_profile_outlives_its_service(shop, monkeypatch, no_redis):
    shop()
    profile_is(monkeypatch, GARDENER)
    first = await answered(items=(RequestItem("p19"),), profile="gardener")
    later(monkeypatch)
    profile_is(monkeypatch, Unavailable("profile", "away"))
    second = await answered(items=(RequestItem("p19"),), profile="gardener")
    assert [item.item_id for item in second.items] == [item.item_id for item in first.items]
    assert second.degraded == ["profile"]


async def test_a_profile_that_another_process_knew_outlives_its_service(shop, monkeypatch):
    shop()
    profile_is(monkeypatch, GARDENER)
    await profiles.named("gardener")
    profiles.forget()
    later(monkeypatch)
    profile_is(monkeypatch, Unavailable("profile", "away"))
    assert await profiles.named("gardener") == (GARDENER, True)


async def test_an_edited_profile_is_seen_within_three_seconds(shop, monkeypatch):
    shop()
    profile_is(monkeypatch, GARDENER)
    await profiles.named("gardener")
    edited = Profile("gardener", 2, Weights(category={"Books": 1.0}))
    profile_is(monkeypatch, edited)
    await asyncio.sleep(2.5)
    assert await profiles.named("gardener") == (edited, False)


async def test_many_at_once_ask_for_a_profile_once(shop, monkeypatch, no_redis):
    shop()
    asked = []

    async def told(slug):
        asked.append(slug)
        await asyncio.sleep(0.01)
        return GARDENER

    monkeypatch.setattr(clients, "profile", told)
    named = await asyncio.gather(*(profiles.named("gardener") for _ in range(50)))
    assert named == [(GARDENER, False)] * 50
    assert asked == ["gardener"]


async def test_made_up_profiles_push_out_none_that_there_is(shop, monkeypatch, no_redis):
    shop()
    monkeypatch.setattr(profiles, "KEPT", 2)
    profile_is(monkeypatch, GARDENER)
    await answered(profile="gardener")
    profile_is(monkeypatch, None)
    for number in range(5):
        await answered(profile=f"made-up-{number}")
    later(monkeypatch)
    profile_is(monkeypatch, Unavailable("profile", "away"))
    assert await profiles.named("gardener") == (GARDENER, True)


async def test_an_unknown_profile_is_a_warning(shop, monkeypatch):
    shop()
    profile_is(monkeypatch, None)
    answer = await answered(profile="nobody")
    assert [warning.code for warning in answer.warnings] == ["unknown-profile"]
    assert answer.degraded == []


async def test_cards_that_are_not_at_hand_come_from_the_catalogue(shop, monkeypatch):
    without_cards(shop, monkeypatch, lambda item_id: product(item_id, title="From afar"))
    answer = await answered(count=3, fields=("title",))
    assert {bytes(item.product) for item in answer.items} == {b'{"title":"From afar"}'}


async def test_cards_that_another_process_read_outlive_the_catalogue(shop, monkeypatch):
    without_cards(shop, monkeypatch, lambda item_id: product(item_id, title="From afar"))
    await answered(count=3, fields=("title",))
    later(monkeypatch)
    without_cards(shop, monkeypatch, Unavailable("catalog", "away"))
    answer = await answered(count=3, fields=("title",))
    assert {bytes(item.product) for item in answer.items} == {b'{"title":"From afar"}'}
    assert answer.degraded == ["catalog"]


async def test_without_the_catalogue_the_answer_is_full_and_says_so(shop, monkeypatch):
    without_cards(shop, monkeypatch, Unavailable("catalog", "away"))
    answer = await answered()
    assert len(answer.items) == 12
    assert answer.degraded == ["catalog"]
    assert msgspec.json.decode(msgspec.json.encode(answer))["items"][0]["product"] is None


async def test_a_degraded_get_is_not_to_be_kept(shop, monkeypatch, async_client):
    without_cards(shop, monkeypatch, Unavailable("catalog", "away"))
    response = await async_client.get("/v1/recommendations")
    assert response["Cache-Control"] == "no-store"
    assert not response.has_header("ETag")


class Answering:
    """A neighbour that answers 200 with these bytes, whatever is asked."""

    def __init__(self, body):
        self._reply = Reply("neighbour", 200, {}, body)

    async def get(self, path, **kwargs):
        return self._reply

    post = get


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"products": [1]}', b"\xff"])
async def test_a_neighbour_that_answers_something_else_is_as_good_as_away(monkeypatch, body):
    monkeypatch.setattr(clients.rest, "connect", lambda *_: Answering(body))
    for asked in (clients.profile("gardener"), clients.cards(["p01"])):
        with pytest.raises(Unavailable):
            await asked
