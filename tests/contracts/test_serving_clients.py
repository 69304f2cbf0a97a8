"""What serving reads of its neighbours, asked of the neighbours themselves, in memory."""

import pytest

from reco_app.serving import clients
from reco_app.serving.lean import Profile, Weights
from runtime import rest
from tests.catalog_app.conftest import product

GARDENER = {
    "slug": "gardener",
    "name": "Gardener",
    "description": "Likes what grows.",
    "weights": {"category": {"Home > Garden": 0.7}, "brand": {}, "price_band": {"2-5": 0.4}},
    "source": "mined",
}


async def test_cards_come_by_id_with_what_answers_show(catalog):
    await catalog.put(product("p01", title="Blue mug"), product("p02"))
    cards = await clients.cards(["p01", "p02", "nobody"])
    assert set(cards) == {"p01", "p02"}
    assert (cards["p01"]["title"], cards["p01"]["price"]) == ("Blue mug", "2.50")
    assert cards["p01"]["currency"] == "GBP"


async def test_a_hundred_cards_are_one_call(catalog):
    await catalog.put(*(product(f"p{number}") for number in range(100)))
    assert len(await clients.cards([f"p{number}" for number in range(100)])) == 100


async def test_a_profile_is_read_with_its_weights(profile):
    written = await profile.put("/internal/profile/v1/profiles", json={"profiles": [GARDENER]})
    assert written.status_code == 200, written.text
    weights = Weights(category={"Home > Garden": 0.7}, price_band={"2-5": 0.4})
    assert await clients.profile("gardener") == Profile("gardener", 1, weights)


async def test_an_unknown_profile_is_none(profile):
    assert await clients.profile("nobody") is None


async def test_a_neighbour_that_is_nowhere_is_unavailable():
    with pytest.raises(rest.Unavailable):
        await clients.cards(["p01"])
