"""Products that are read through Redis."""

import asyncio
import os

import pytest
import redis

from catalog_app.store import Store, Unavailable
from tests.catalog_app.conftest import product


@pytest.fixture
def read(monkeypatch):
    """The ids that MongoDB is asked for, a list for each call."""
    asked = []
    products = Store.products

    async def counted(self, ids):
        asked.append(sorted(ids))
        return await products(self, ids)

    monkeypatch.setattr(Store, "products", counted)
    return asked


@pytest.fixture
def cut_off(monkeypatch):
    """Lets MongoDB answer no more reads of products."""

    async def away(self, ids):
        raise Unavailable("away")

    return lambda: monkeypatch.setattr(Store, "products", away)


async def test_a_product_that_was_read_is_not_asked_for_again(catalog, read):
    await catalog.put(product("a", title="Blue mug"), product("b"))
    first = await catalog.get("/v1/products/a")
    assert (await catalog.get("/v1/products"))["products"][0] == first
    assert await catalog.get("/v1/products/a") == first
    assert read == [["a"], ["b"]]


async def test_after_redis_was_emptied_each_product_is_read_once(catalog, read):
    await catalog.put(product("a"), product("b"))
    await catalog.get("/v1/products/a")
    with redis.Redis.from_url(os.environ["MULTIRECO_REDIS_URL"]) as client:
        client.flushdb()
    read.clear()

    paths = ["/v1/products/a", "/v1/products/b", "/v1/products"] * 20
    await asyncio.gather(*(catalog.get(path) for path in paths))

    assert sorted(each for ids in read for each in ids) == ["a", "b"]


async def test_a_change_is_seen_as_soon_as_it_was_read(catalog):
    await catalog.put(product("a", title="Blue mug"))
    await catalog.get("/v1/products/a")
    await catalog.put(product("a", title="Red mug", version=2))
    assert (await catalog.get("/v1/products/a"))["title"] == "Red mug"


async def test_what_is_withdrawn_is_found_nowhere(catalog):
    await catalog.put(product("a"))
    await catalog.get("/v1/products/a")
    await catalog.put({"id": "a", "version": 2, "deleted": True})
    assert (await catalog.client.get("/v1/products/a")).status_code == 404


async def test_without_mongodb_what_was_read_is_still_shown(catalog, cut_off):
    await catalog.put(product("a"), product("b"))
    await catalog.get("/v1/products/a")
    cut_off()
    assert (await catalog.get("/v1/products/a"))["id"] == "a"
    assert (await catalog.client.get("/v1/products/b")).status_code == 503
