from tests.catalog_app.conftest import Catalog, product


async def test_a_product_is_answered_as_it_was_sent(catalog: Catalog) -> None:
    sent = product(
        "85123A",
        sale_price="1.95",
        attributes={"$where": "1", "a.b": ["red", 2], "organic": True, "litres": 1.5},
        tags=["gift"],
        categories=["Home > Light"],
    )
    await catalog.put(sent)

    answered = await catalog.get("/v1/products/85123A")

    assert answered == sent | {
        "published_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    }


async def test_an_unknown_and_a_deleted_product_are_not_found(catalog: Catalog) -> None:
    await catalog.put({"id": "gone", "version": 3, "deleted": True})

    unknown = await catalog.client.get("/v1/products/unknown")
    deleted = await catalog.client.get("/v1/products/gone")

    assert (unknown.status_code, deleted.status_code) == (404, 404)
    assert unknown.json()["code"] == "not-found"


async def test_a_batch_keeps_the_order_and_names_what_is_missing(catalog: Catalog) -> None:
    await catalog.put(product("a"), product("b"), {"id": "gone", "version": 1, "deleted": True})

    answer = await catalog.client.post(
        "/v1/products:batch", json={"ids": ["b", "nope", "a", "b", "gone"]}
    )

    assert [each["id"] for each in answer.json()["products"]] == ["b", "a"]
    assert answer.json()["missing_ids"] == ["nope", "gone"]


async def test_a_reader_who_has_the_answer_is_told_so(catalog: Catalog) -> None:
    await catalog.put(product("a", categories=["Home"]))

    for path in ("/v1/products/a", "/v1/products", "/v1/categories"):
        first = await catalog.client.get(path)
        again = await catalog.client.get(path, headers={"If-None-Match": first.headers["etag"]})

        assert first.headers["cache-control"] == "public, max-age=1, stale-if-error=600"
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]


async def test_the_tag_of_an_answer_changes_with_it(catalog: Catalog) -> None:
    await catalog.put(product("a"))
    first = await catalog.client.get("/v1/products/a")
    await catalog.put(product("a", price="9.00", version=2))

    again = await catalog.client.get(
        "/v1/products/a", headers={"If-None-Match": f'"old", {first.headers["etag"]}'}
    )

    assert again.status_code == 200
    assert again.json()["price"] == "9.00"
