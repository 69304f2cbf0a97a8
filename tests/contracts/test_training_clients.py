"""What training tells the profile service, asked of the profile service itself."""

from asyncio import to_thread

import pytest

from reco_app.curation import clients as staff
from reco_app.training import clients
from runtime import overload, rest

MINED = {
    "slug": "bakers",
    "name": "Bakers",
    "description": "",
    "weights": {"category": {"Grocery > Flour": 0.8}, "brand": {"Acme": 0.2}, "price_band": {}},
    "source": "mined",
}
FLOUR = {
    "item_id": "flour",
    "sessions": 40,
    "categories": {"Grocery > Flour": 0.6},
    "brands": {"Acme": 0.3},
    "price_bands": {"1-2": 0.9},
    "counts": {
        "categories": {"Grocery > Flour": 24},
        "brands": {"Acme": 12},
        "price_bands": {"1-2": 36},
    },
}


async def test_preferences_are_stored_as_they_were_counted(profile):
    await to_thread(clients.put_preferences, [FLOUR])

    told = (await profile.get("/v1/preferences/flour")).json()
    assert told["sessions"] == 40
    assert told["categories"] == {"Grocery > Flour": 0.6}


async def test_as_many_preferences_as_training_sends_at_once_are_taken(profile):
    many = [FLOUR | {"item_id": f"i{number}"} for number in range(clients.PREFERENCES_A_CALL)]

    await to_thread(clients.put_preferences, many)

    assert (await profile.get("/v1/preferences/i999")).status_code == 200


async def test_a_mined_profile_is_stored_listed_and_deleted(profile):
    await to_thread(clients.put_profiles, [MINED])

    told = (await profile.get("/v1/profiles/bakers")).json()
    assert told["weights"]["category"] == {"Grocery > Flour": 0.8}
    assert await to_thread(clients.mined_slugs) == {"bakers"}
    await to_thread(clients.delete_profile, "bakers")
    await to_thread(clients.delete_profile, "bakers")
    assert await to_thread(clients.mined_slugs) == set()


async def test_a_profile_that_staff_edited_is_left_as_it_is(profile):
    edited = {name: MINED[name] for name in ("slug", "name", "description", "weights")}
    await to_thread(staff.put_profile, edited | {"name": "Our bakers", "version": 0})

    await to_thread(clients.put_profiles, [MINED])

    assert (await profile.get("/v1/profiles/bakers")).json()["name"] == "Our bakers"
    assert await to_thread(clients.mined_slugs) == set()


async def test_of_a_busy_service_training_is_refused_before_staff(profile, monkeypatch):
    gate = overload.Gate()
    gate.lane("/v1/batch", b"").limit = 0
    monkeypatch.setattr(overload, "gate", gate)

    await to_thread(staff.profiles)
    with pytest.raises(rest.Unavailable, match="503"):
        await to_thread(clients.mined_slugs)


async def test_what_the_service_refuses_is_no_silence(profile):
    with pytest.raises(rest.Unavailable, match="422"):
        await to_thread(clients.put_preferences, [FLOUR | {"sessions": 3}])
