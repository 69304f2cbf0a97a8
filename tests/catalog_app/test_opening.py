"""What is made sure of before the catalogue is read, and how MongoDB is asked."""

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import DuplicateKeyError

from catalog_app import store
from tests.catalog_app.conftest import product, running


async def test_the_index_that_is_missing_is_made(mongodb_url):
    async with running(mongodb_url):
        assert await indexes(mongodb_url) == {
            "sequence": {"key": [("sequence", 1)], "unique": True}
        }


@pytest.mark.parametrize("name", ["sequence", "by_sequence"])
async def test_an_index_that_is_not_as_wanted_is_made_anew(mongodb_url, name):
    async with running(mongodb_url) as catalog:
        await catalog.put(product("a"))
    async with AsyncMongoClient(mongodb_url) as client:
        products = client.get_default_database()["products"]
        await products.drop_index("sequence")
        await products.create_index("sequence", name=name)

    async with running(mongodb_url) as catalog:
        assert await catalog.ids() == ["a"]
        assert await indexes(mongodb_url) == {
            "sequence": {"key": [("sequence", 1)], "unique": True}
        }


async def test_an_index_of_somebody_else_stays(mongodb_url):
    async with AsyncMongoClient(mongodb_url) as client:
        await client.get_default_database()["products"].create_index("brand", name="theirs")

    async with running(mongodb_url):
        assert set(await indexes(mongodb_url)) == {"sequence", "theirs"}


async def test_documents_that_cannot_be_indexed_are_told_by_the_index(mongodb_url):
    async with AsyncMongoClient(mongodb_url) as client:
        products = client.get_default_database()["products"]
        await products.insert_many([{"_id": each, "sequence": 1} for each in "ab"])

    async with store.opened(mongodb_url) as opened:
        with pytest.raises(DuplicateKeyError, match="sequence"):
            await opened.prepare()


async def test_mongodb_is_asked_within_limits_and_for_what_lasts(mongodb_url):
    async with store.opened(mongodb_url) as opened:
        options = opened._client.options

    assert (options.timeout, options.server_selection_timeout) == (1.0, 1.0)
    assert (options.pool_options.connect_timeout, options.pool_options.max_pool_size) == (1.0, 32)
    assert options.write_concern.document["w"] == "majority"
    assert options.read_concern.level == "majority"


async def test_the_address_may_set_other_limits_and_never_a_weaker_write(mongodb_url):
    async with store.opened(f"{mongodb_url}&maxpoolsize=7&timeoutMS=250&w=1") as opened:
        options = opened._client.options

    assert (options.timeout, options.pool_options.max_pool_size) == (0.25, 7)
    assert options.write_concern.document["w"] == "majority"


async def indexes(url: str) -> dict[str, dict]:
    """Those beside MongoDB's own, without its version of indexes."""
    async with AsyncMongoClient(url) as client:
        found = await client.get_default_database()["products"].index_information()
    return {
        name: {part: value for part, value in told.items() if part != "v"}
        for name, told in found.items()
        if name != "_id_"
    }
