"""What an answer is when catalog, profile or Redis do not answer, or answer late."""

import msgspec
import pytest

from reco_app.serving import cache, clients, live, profiles, service
from reco_app.serving.cards import Cards
from reco_app.serving.contracts import Request, RequestItem
from reco_app.serving.lean import Profile, Weights
from runtime.rest import Reply, Unavailable
from tests.reco_app.serving.examples import NOW, product

GARDENER = Profile("gardener", 1, Weights(category={"Home > Garden": 3.0, "Books": 0.1}))


async def answered(**asked):
    return await service.recommend(Request(**asked), now=NOW)


@pytest.fixture(autouse=True)
def no_redis(monkeypatch):
    monkeypatch.setattr(cache, "read", lambda kind, names: {})
    monkeypatch.setattr(cache, "keep", lambda kind, values, seconds: None)


def profile_is(monkeypatch, profile):
    async def told(slug):
        if isinstance(profile, Exception):
            raise profile
        return profile

    monkeypatch.setattr(clients, "profile", told)


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


async def test_a_known_profile_outlives_its_service(shop, monkeypatch):
    shop()
    profile_is(monkeypatch, GARDENER)
    first = await answered(items=(RequestItem("p19"),), profile="gardener")
    monkeypatch.setattr("reco_app.serving.profiles.monotonic", lambda: 1e12)
    profile_is(monkeypatch, Unavailable("profile", "away"))
    second = await answered(items=(RequestItem("p19"),), profile="gardener")
    assert [item.item_id for item in second.items] == [item.item_id for item in first.items]
    assert second.degraded == ["profile"]


async def test_made_up_profiles_push_out_none_that_there_is(shop, monkeypatch):
    shop()
    monkeypatch.setattr(profiles, "KEPT", 2)
    profile_is(monkeypatch, GARDENER)
    await answered(profile="gardener")
    profile_is(monkeypatch, None)
    for number in range(5):
        await answered(profile=f"made-up-{number}")
    monkeypatch.setattr("reco_app.serving.profiles.monotonic", lambda: 1e12)
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
