from typing import Any

import pytest

from catalog_app import cursors
from catalog_app.search.matching import Wanted
from catalog_app.search.ordering import Place
from tests.catalog_app.conftest import INTERNAL, UPSERT, Catalog, product


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/v1/products?limit=101", "?limit"),
        ("/v1/products?limit=1_0", "?limit"),
        ("/v1/products?colour=red", "?colour"),
        ("/v1/products?q[$ne]=1", "?q[$ne]"),
        ("/v1/products?price_min=1e3", "?price_min"),
        ("/v1/products?in_stock=maybe", "?in_stock"),
        ("/v1/products?sort=%24where", "?sort"),
        ("/v1/products?cursor=%7B%7D", "?cursor"),
        ("/v1/products?q=" + "x" * 201, "?q"),
        ("/v1/products?price_min=5&price_max=4", "?"),
        ("/v1/products/a?fields=title", "?fields"),
        ("/v1/products/%24where", "path: product_id"),
        ("/v1/categories?depth=1", "?depth"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_name(
    catalog: Catalog, path: str, pointer: str
) -> None:
    answer = await catalog.client.get(path)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_one_wrong_parameter_is_told_once(catalog: Catalog) -> None:
    answer = await catalog.client.get("/v1/products", params={"price_min": "cheap"})

    assert len(answer.json()["errors"]) == 1


async def test_a_cursor_of_another_list_is_refused(catalog: Catalog) -> None:
    await catalog.put(product("a"), product("b"))
    first = await catalog.get("/v1/products", limit=1)

    other = await catalog.client.get(
        "/v1/products", params={"sort": "price", "cursor": first["next"]}
    )

    assert other.status_code == 422


async def test_a_cursor_with_another_kind_of_value_is_refused(catalog: Catalog) -> None:
    forged = cursors.encode(Place("text", "a"), wanted=Wanted(), sort="newest")

    answer = await catalog.client.get("/v1/products", params={"cursor": forged})

    assert answer.status_code == 422


async def test_a_cursor_beyond_all_numbers_is_harmless(catalog: Catalog) -> None:
    await catalog.put(product("a"))
    for key in (10**30, -(10**30)):
        forged = cursors.encode(Place(key, "a"), wanted=Wanted(text="a"), sort="relevance")
        answer = await catalog.client.get("/v1/products", params={"q": "a", "cursor": forged})

        assert answer.status_code in (200, 422)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"ids": ["a"] * 201}, "/ids"),
        ({"ids": [{"$ne": ""}]}, "/ids/0"),
        ({"ids": "a"}, "/ids"),
        ({"ids": ["a"], "more": 1}, "/more"),
        ({}, "/ids"),
        ([], ""),
    ],
)
async def test_a_batch_that_is_malformed_is_refused_by_pointer(
    catalog: Catalog, body: Any, pointer: str
) -> None:
    answer = await catalog.client.post("/v1/products:batch", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_body_that_is_not_json_is_told_from_one_that_is_of_another_type(
    catalog: Catalog,
) -> None:
    path = "/v1/products:batch"
    broken = await catalog.client.post(
        path, content=b'{"ids": [', headers={"Content-Type": "application/json"}
    )
    form = await catalog.client.post(path, data={"ids": "a"})

    assert (broken.status_code, broken.json()["code"]) == (400, "malformed-json")
    assert (form.status_code, form.json()["code"]) == (415, "unsupported-media-type")


async def test_other_methods_and_paths_are_refused(catalog: Catalog) -> None:
    assert (await catalog.client.delete("/v1/products/a")).status_code == 405
    assert (await catalog.client.get("/v1/nothing")).status_code == 404


async def test_internal_routes_ask_for_an_internal_key(catalog: Catalog) -> None:
    for path in (UPSERT, "/internal/catalog/v1/changes"):
        answer = await catalog.client.request(
            "PUT" if path == UPSERT else "GET", path, content=b"not even JSON"
        )

        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("entry", "pointer"),
    [
        ({"price": 2.5}, "/products/0/price"),
        ({"price": "1e3"}, "/products/0/price"),
        ({"availability": "maybe"}, "/products/0/availability"),
        ({"attributes": {"a": {"$gt": ""}}}, "/products/0/attributes/a/str"),
        ({"colour": "red"}, "/products/0/colour"),
        ({"id": "a b"}, "/products/0/id"),
        ({"updated_at": "yesterday"}, "/products/0/updated_at"),
    ],
)
async def test_a_malformed_product_is_refused_by_pointer(
    catalog: Catalog, entry: dict[str, Any], pointer: str
) -> None:
    answer = await catalog.client.put(
        UPSERT, json={"products": [product("a", **entry)]}, headers=INTERNAL
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_product_that_is_not_deleted_must_be_whole(catalog: Catalog) -> None:
    answer = await catalog.client.put(
        UPSERT, json={"products": [{"id": "a", "version": 1}]}, headers=INTERNAL
    )

    assert answer.status_code == 422
    assert "title" in answer.json()["errors"][0]["detail"]
