import asyncio
from typing import Any

from tests.catalog_app.conftest import INTERNAL, UPSERT, Catalog, product

CHANGES = "/internal/catalog/v1/changes"


async def changes(catalog: Catalog, after: int, limit: int = 500) -> Any:
    answer = await catalog.client.get(
        CHANGES, params={"after": after, "limit": limit}, headers=INTERNAL
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_late_and_repeated_deliveries_do_no_harm(catalog: Catalog) -> None:
    assert await catalog.put(product("a", title="New", version=5)) == {"applied": 1, "stale": 0}
    assert await catalog.put(product("a", title="Old", version=4)) == {"applied": 0, "stale": 1}
    assert await catalog.put(product("a", title="New", version=5)) == {"applied": 0, "stale": 1}

    assert (await catalog.get("/v1/products/a"))["title"] == "New"


async def test_a_late_delivery_does_not_bring_back_what_was_deleted(catalog: Catalog) -> None:
    await catalog.put({"id": "a", "version": 5, "deleted": True})
    await catalog.put(product("a", version=4))

    assert (await catalog.client.get("/v1/products/a")).status_code == 404


async def test_of_one_product_sent_twice_the_newest_state_is_kept(catalog: Catalog) -> None:
    counts = await catalog.put(
        product("a", version=2, title="Second"), product("a", version=1, title="First")
    )

    assert counts == {"applied": 1, "stale": 1}
    assert (await catalog.get("/v1/products/a"))["title"] == "Second"


async def test_the_feed_tells_each_product_at_its_last_change(catalog: Catalog) -> None:
    await catalog.put(product("a"), product("b"))
    await catalog.put({"id": "a", "version": 2, "deleted": True})

    told = await changes(catalog, 0)

    assert [(each["id"], each["version"], each["deleted"]) for each in told["changes"]] == [
        ("b", 1, False),
        ("a", 2, True),
    ]
    assert (await changes(catalog, told["next"])) == {"changes": [], "next": told["next"]}


async def test_the_feed_can_be_read_in_small_pages(catalog: Catalog) -> None:
    for version in range(1, 6):
        await catalog.put(*(product(str(number), version=version) for number in range(7)))

    seen: list[str] = []
    after = 0
    while True:
        told = await changes(catalog, after, limit=2)
        seen += [each["id"] for each in told["changes"]]
        if told["next"] == after:
            break
        after = told["next"]

    assert seen == [str(number) for number in range(7)]


async def test_writers_at_once_lose_nothing_and_number_every_change_once(
    catalog: Catalog,
) -> None:
    batches = [[product(f"{writer}-{n}") for n in range(5)] for writer in range(6)]
    answers = await asyncio.gather(
        *(
            catalog.client.put(UPSERT, json={"products": batch}, headers=INTERNAL)
            for batch in batches
        )
    )

    told = await changes(catalog, 0)

    assert [answer.json()["applied"] for answer in answers] == [5] * 6
    sequences = [each["sequence"] for each in told["changes"]]
    assert len(set(sequences)) == 30
    assert sequences == sorted(sequences)


async def test_a_change_is_in_the_lists_within_a_second(catalog: Catalog) -> None:
    await catalog.client.put(UPSERT, json={"products": [product("a")]}, headers=INTERNAL)

    async with asyncio.timeout(1):
        while await catalog.ids() != ["a"]:
            await asyncio.sleep(0.02)
