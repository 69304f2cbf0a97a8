from typing import Any

from tests.catalog_app.conftest import INTERNAL, Catalog, caught_up_with, product

REBUILDS = "/internal/catalog/v1/rebuilds"


async def begin(catalog: Catalog) -> int:
    generation: int = (await catalog.client.post(REBUILDS, headers=INTERNAL)).json()["generation"]
    return generation


async def withdraw(catalog: Catalog, generation: int) -> Any:
    answer = await catalog.client.delete(f"{REBUILDS}/{generation}/leftovers", headers=INTERNAL)
    await caught_up_with(catalog.application)
    return answer


async def test_a_rebuild_replaces_what_is_there_whatever_its_version(catalog: Catalog) -> None:
    await catalog.put(product("a", title="Wrong", version=9))
    await begin(catalog)

    assert await catalog.put(product("a", title="Right", version=3)) == {"applied": 1, "stale": 0}
    assert await catalog.put(product("a", title="Late", version=2)) == {"applied": 0, "stale": 1}

    assert (await catalog.get("/v1/products/a"))["title"] == "Right"


async def test_everything_is_read_until_it_is_withdrawn(catalog: Catalog) -> None:
    await catalog.put(product("a"), product("b"))

    generation = await begin(catalog)
    await catalog.put(product("a", title="Again"))

    assert await catalog.ids(sort="title") == ["a", "b"]
    assert (await withdraw(catalog, generation)).json() == {"withdrawn": 1}
    assert (await withdraw(catalog, generation)).json() == {"withdrawn": 0}
    assert await catalog.ids() == ["a"]
    assert (await catalog.client.get("/v1/products/b")).status_code == 404


async def test_what_was_withdrawn_comes_back_with_any_version(catalog: Catalog) -> None:
    await catalog.put(product("a", version=9))
    await withdraw(catalog, await begin(catalog))

    await catalog.put(product("a", version=1))

    assert await catalog.ids() == ["a"]


async def test_a_rebuild_that_another_has_followed_withdraws_nothing(catalog: Catalog) -> None:
    await catalog.put(product("a"))
    first = await begin(catalog)
    await begin(catalog)

    assert (await withdraw(catalog, first)).status_code == 404
    assert await catalog.ids() == ["a"]


async def test_nobody_without_a_key_begins_a_rebuild(catalog: Catalog) -> None:
    assert (await catalog.client.post(REBUILDS)).status_code == 401
    assert (await catalog.client.delete(f"{REBUILDS}/1/leftovers")).status_code == 401
