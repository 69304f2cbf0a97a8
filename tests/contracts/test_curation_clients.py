"""What curation writes to its neighbours and reads of them, asked of the neighbours themselves."""

from asyncio import to_thread
from decimal import Decimal

import pytest
from django.utils import timezone

from reco_app.curation import clients
from reco_app.curation.contracts import product_card
from reco_app.curation.models import Product

GARDENER = {
    "slug": "gardener",
    "name": "Gardener",
    "description": "",
    "weights": {"category": {"Home > Garden": 0.7}, "brand": {}, "price_band": {}},
    "version": 0,
}


def mug(**changes):
    given = {
        "item_id": "mug",
        "title": "Blue mug",
        "description": "Holds tea.",
        "brand": "Acme",
        "categories": ["Home > Kitchen"],
        "price": Decimal("2.50"),
        "sale_price": Decimal("2.00"),
        "currency": "USD",
        "attributes": {"colour": "blue", "volume": 3, "dishwasher": True},
        "tags": ["gift"],
        "item_group_id": "mugs",
        "updated_at": timezone.now(),
        "version": 5,
    }
    return Product(**given | changes)


async def test_a_whole_product_arrives_in_the_catalogue(catalog):
    await to_thread(clients.put_products, [product_card(mug())])

    shown = (await catalog.client.get("/v1/products/mug")).json()
    assert (shown["title"], shown["sale_price"], shown["version"]) == ("Blue mug", "2.00", 5)
    assert shown["attributes"] == {"colour": "blue", "volume": 3, "dishwasher": True}


async def test_a_hidden_product_leaves_the_catalogue(catalog):
    await to_thread(clients.put_products, [product_card(mug())])
    await to_thread(clients.put_products, [product_card(mug(visible=False, version=6))])

    assert (await catalog.client.get("/v1/products/mug")).status_code == 404


async def test_a_late_delivery_of_an_older_state_does_no_harm(catalog):
    await to_thread(clients.put_products, [product_card(mug(title="Red mug", version=6))])
    await to_thread(clients.put_products, [product_card(mug())])

    assert (await catalog.client.get("/v1/products/mug")).json()["title"] == "Red mug"


async def test_a_rebuild_takes_an_older_state_and_withdraws_what_was_not_sent(catalog):
    cup = product_card(mug(item_id="cup"))
    await to_thread(clients.put_products, [product_card(mug(version=6)), cup])

    generation = await to_thread(clients.begin_rebuild)
    await to_thread(clients.put_products, [product_card(mug(title="Red mug", version=5))])

    assert await to_thread(clients.withdraw_leftovers, generation) == 1
    assert await to_thread(clients.withdraw_leftovers, generation) == 0
    assert (await catalog.client.get("/v1/products/mug")).json()["title"] == "Red mug"
    assert (await catalog.client.get("/v1/products/cup")).status_code == 404


async def test_a_rebuild_that_another_has_followed_is_over(catalog):
    generation = await to_thread(clients.begin_rebuild)
    await to_thread(clients.begin_rebuild)

    with pytest.raises(clients.RebuildOver):
        await to_thread(clients.withdraw_leftovers, generation)


async def test_what_the_catalogue_does_not_take_is_refused(catalog):
    with pytest.raises(clients.Refused, match="price"):
        await to_thread(clients.put_products, [product_card(mug()) | {"price": "cheap"}])


async def test_a_profile_is_written_listed_read_and_deleted(profile):
    await to_thread(clients.put_profile, GARDENER)

    known = await to_thread(clients.profile, "gardener")
    assert (known["source"], known["version"]) == ("staff", 1)
    assert [entry["slug"] for entry in await to_thread(clients.profiles)] == ["gardener"]
    await to_thread(clients.delete_profile, "gardener")
    assert await to_thread(clients.profile, "gardener") is None


async def test_a_profile_that_somebody_else_changed_is_a_conflict(profile):
    await to_thread(clients.put_profile, GARDENER)

    with pytest.raises(clients.Conflict):
        await to_thread(clients.put_profile, GARDENER | {"name": "Another"})


async def test_a_profile_beyond_the_bounds_is_refused(profile):
    with pytest.raises(clients.Refused):
        await to_thread(clients.put_profile, GARDENER | {"slug": "No Slug"})
