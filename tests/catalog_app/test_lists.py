from tests.catalog_app.conftest import Catalog, product, running


async def test_all_words_of_a_search_must_be_met(catalog: Catalog) -> None:
    await catalog.put(
        product("a", title="Chocolate milk"),
        product("b", title="Milk"),
        product("c", title="Chocolate"),
    )

    assert await catalog.ids(q="milk chocolate") == ["a"]


async def test_the_last_word_of_a_search_may_be_unfinished(catalog: Catalog) -> None:
    await catalog.put(product("a", title="Chocolate milk"), product("b", title="Milkshake"))

    assert await catalog.ids(q="choco") == ["a"]
    assert await catalog.ids(q="choco milk") == []


async def test_accents_case_and_plurals_do_not_matter_to_a_search(catalog: Catalog) -> None:
    await catalog.put(product("a", title="Crème brûlée dishes"), product("b", title="Wild berry"))

    assert await catalog.ids(q="CREME BRULEE dish") == ["a"]
    assert await catalog.ids(q="berries wild") == ["b"]


async def test_a_word_in_the_title_counts_more_than_one_in_the_description(
    catalog: Catalog,
) -> None:
    await catalog.put(
        product("described", title="Rusks", description="Good with honey."),
        product("named", title="Honey"),
        product("filed", title="Jar", categories=["Food > Honey"]),
    )

    assert await catalog.ids(q="honey") == ["named", "filed", "described"]


async def test_a_product_is_found_by_its_id(catalog: Catalog) -> None:
    await catalog.put(product("85123A", title="T-light holder"), product("b", title="85123A copy"))

    assert await catalog.ids(q="85123A") == ["85123A", "b"]


async def test_a_search_of_signs_alone_finds_nothing(catalog: Catalog) -> None:
    await catalog.put(product("a"))

    assert await catalog.ids(q="!!!") == []


async def test_a_category_holds_what_lies_below_it(catalog: Catalog) -> None:
    await catalog.put(
        product("pan", categories=["Home > Kitchen > Pans"]),
        product("bed", categories=["Home > Sleep"]),
        product("homely", categories=["Homely"]),
    )

    assert await catalog.ids(category="Home", sort="title") == ["bed", "pan"]
    assert await catalog.ids(category="Home>Kitchen") == ["pan"]
    assert await catalog.ids(category=["Home > Sleep", "Homely"]) == ["bed", "homely"]


async def test_filters_narrow_one_another(catalog: Catalog) -> None:
    await catalog.put(
        product("a", brand="Acme", price="5.00"),
        product("b", brand="Acme", price="50.00"),
        product("c", brand="Other", price="5.00"),
        product("d", brand="Acme", price="5.00", availability="out_of_stock"),
    )

    assert await catalog.ids(brand="Acme", price_max="10", in_stock="true") == ["a"]


async def test_the_price_of_a_product_on_sale_is_its_sale_price(catalog: Catalog) -> None:
    await catalog.put(
        product("sale", price="20.00", sale_price="4.99"), product("plain", price="5.00")
    )

    assert await catalog.ids(price_max="4.99") == ["sale"]
    assert await catalog.ids(sort="price") == ["sale", "plain"]
    assert await catalog.ids(sort="-price") == ["plain", "sale"]


async def test_lists_can_be_sorted_by_title_and_by_date(catalog: Catalog) -> None:
    await catalog.put(
        product("1", title="Zebra", published_at="2026-03-01T00:00:00Z"),
        product("2", title="ábaco", published_at="2026-01-01T00:00:00Z"),
        product("3", title="Monkey", published_at="2026-02-01T00:00:00Z"),
    )

    assert await catalog.ids(sort="title") == ["2", "3", "1"]
    assert await catalog.ids(sort="-title") == ["1", "3", "2"]
    assert await catalog.ids() == ["1", "3", "2"]


async def test_a_list_shows_one_product_of_a_group(catalog: Catalog) -> None:
    await catalog.put(
        product("red", item_group_id="shirt", price="9.00"),
        product("blue", item_group_id="shirt", price="8.00"),
        product("hat", price="8.50"),
    )

    page = await catalog.get("/v1/products", sort="price")

    assert [each["id"] for each in page["products"]] == ["blue", "hat"]
    assert page["total"] == 2


async def test_a_changed_product_is_found_by_its_new_words_only(catalog: Catalog) -> None:
    await catalog.put(product("a", title="Kettle", categories=["Kitchen"]))
    await catalog.put(product("a", title="Teapot", categories=["Table"], version=2))

    assert await catalog.ids(q="kettle") == []
    assert await catalog.ids(q="teapot", category="Table") == ["a"]
    assert await catalog.ids(category="Kitchen") == []


async def test_a_deleted_product_is_in_no_list(catalog: Catalog) -> None:
    await catalog.put(product("a", title="Kettle", categories=["Kitchen"]), product("b"))
    await catalog.put({"id": "a", "version": 2, "deleted": True})

    assert await catalog.ids() == ["b"]
    assert await catalog.ids(q="kettle") == []
    assert (await catalog.get("/v1/categories"))["categories"] == []


async def test_a_restarted_process_reads_the_whole_catalogue(
    catalog: Catalog, mongodb_url: str
) -> None:
    await catalog.put(product("a"), product("b"), {"id": "c", "version": 1, "deleted": True})

    async with running(mongodb_url) as another:
        assert await another.ids(sort="title") == ["a", "b"]
