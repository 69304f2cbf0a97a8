import re

import pytest

from tests.catalog_app.conftest import Catalog, product

PRODUCTS = [
    product(
        str(number), title=f"Tea {number % 3}", price=f"{number % 4}.50", brand=f"b{number % 2}"
    )
    for number in range(25)
]


@pytest.mark.parametrize("sort", ["relevance", "price", "-price", "newest", "title", "-title"])
async def test_pages_of_any_order_hold_every_product_once(catalog: Catalog, sort: str) -> None:
    await catalog.put(*PRODUCTS)
    whole = await catalog.ids(q="tea", sort=sort, limit=100)

    page = await catalog.get("/v1/products", q="tea", sort=sort, limit=7)
    seen = [each["id"] for each in page["products"]]
    while page["next"]:
        page = await catalog.get("/v1/products", q="tea", sort=sort, limit=7, cursor=page["next"])
        seen += [each["id"] for each in page["products"]]

    assert seen == whole
    assert len(set(seen)) == 25


async def test_the_next_page_is_the_same_whatever_was_added_before_it(catalog: Catalog) -> None:
    await catalog.put(*PRODUCTS)
    query = {"sort": "price", "limit": 10}
    first = await catalog.get("/v1/products", **query)
    before = await catalog.ids(**query, cursor=first["next"])

    await catalog.put(product("cheap", price="0.10"), {"id": "0", "version": 2, "deleted": True})

    assert await catalog.ids(**query, cursor=first["next"]) == before


async def test_the_link_header_leads_to_the_next_page(catalog: Catalog) -> None:
    await catalog.put(*PRODUCTS)
    answer = await catalog.client.get(
        "/v1/products", params={"brand": ["b0", "b1"], "in_stock": "true", "limit": 20}
    )

    link = re.fullmatch(r'<(/v1/products\?.+)>; rel="next"', answer.headers["link"])
    assert link
    last = await catalog.client.get(link[1])

    assert len(last.json()["products"]) == 5
    assert last.json()["next"] is None
    assert "link" not in last.headers


async def test_facets_count_all_that_matches_and_come_with_the_first_page(
    catalog: Catalog,
) -> None:
    await catalog.put(
        product("a", brand="Acme", categories=["Home > Kitchen"], price="3.00"),
        product("b", brand="Acme", categories=["Home > Bath"], price="0.70"),
        product("c", categories=["Home > Kitchen"], price="4.99", availability="preorder"),
    )

    page = await catalog.get("/v1/products", limit=2)
    following = await catalog.get("/v1/products", limit=2, cursor=page["next"])

    assert page["total"] == 3
    assert page["facets"] == {
        "category": [{"path": "Home", "name": "Home", "count": 3}],
        "brand": [{"brand": "Acme", "count": 2}],
        "price_band": [
            {"price_band": "0.5-1", "price_min": "0.5", "price_max": "1", "count": 1},
            {"price_band": "2-5", "price_min": "2", "price_max": "5", "count": 2},
        ],
        "availability": [
            {"availability": "in_stock", "count": 2},
            {"availability": "preorder", "count": 1},
        ],
    }
    assert following["facets"] is None


async def test_the_category_facet_tells_what_lies_just_below(catalog: Catalog) -> None:
    await catalog.put(
        product("a", categories=["Home > Kitchen > Pans"]), product("b", categories=["Home > Bath"])
    )

    page = await catalog.get("/v1/products", category="Home")

    assert [facet["path"] for facet in page["facets"]["category"]] == [
        "Home > Bath",
        "Home > Kitchen",
    ]


async def test_facets_are_bounded(catalog: Catalog) -> None:
    await catalog.put(*(product(str(number), brand=f"b{number}") for number in range(60)))

    page = await catalog.get("/v1/products")

    assert len(page["facets"]["brand"]) == 50


async def test_the_categories_are_a_tree_with_counts(catalog: Catalog) -> None:
    await catalog.put(
        product("a", categories=["Home > Kitchen", "Gifts"]), product("b", categories=["Home"])
    )

    tree = await catalog.get("/v1/categories")

    kitchen = {"path": "Home > Kitchen", "name": "Kitchen", "count": 1, "children": []}
    assert tree["categories"] == [
        {"path": "Gifts", "name": "Gifts", "count": 1, "children": []},
        {"path": "Home", "name": "Home", "count": 2, "children": [kitchen]},
    ]
