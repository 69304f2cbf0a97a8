"""What a shopper does: find, choose, be told what goes with it and why."""

import json

from playwright.sync_api import Page, expect


def card(page: Page, row: str, item: str):
    return page.locator(f"#row-{row} [data-item={item}]")


def put_into_basket(page: Page) -> None:
    page.click("#add-to-basket")
    expect(page.locator("#announcements")).to_contain_text("is in your basket")


def test_a_product_is_found_and_its_complements_come_with_reasons(visitor):
    page = visitor("/shop/")

    page.fill("#search-words", "pasta 3")
    page.press("#search-words", "Enter")
    page.locator("#listing-grid").get_by_role("link", name="Pasta 3", exact=True).click()
    expect(page.get_by_role("heading", name="Pasta 3", level=1)).to_be_visible()
    put_into_basket(page)
    page.click("#basket-link")

    expect(page.locator("#total")).to_have_text("$3.50")
    card(page, "basket", "sauce-3").get_by_role("button", name="Why Sauce 3?").click()
    expect(page.get_by_role("dialog")).to_contain_text("Bought together with Pasta 3 in 25 baskets")


def test_complements_change_while_the_basket_does(visitor):
    page = visitor("/shop/p/pasta-4")
    expect(card(page, "together", "cheese-4")).to_be_visible()

    card(page, "together", "cheese-4").get_by_role("button", name="to the basket").click()

    expect(page.locator("#basket-count")).to_have_text("1")
    expect(card(page, "together", "cheese-4")).to_have_count(0)


def test_a_category_narrows_the_list_and_its_address_can_be_shared(visitor):
    page = visitor("/shop/c/Grocery")
    expect(page.locator("#listing-count")).to_have_text("90 products")

    page.locator("#subcategories").get_by_role("link", name="Olive oil").click()
    expect(page.locator("#listing-count")).to_have_text("10 products")
    page.get_by_label("Maker 7").check()

    expect(page.locator("#listing-grid .card")).to_have_count(1)
    page.goto(page.url)
    expect(page.locator("#listing-grid")).to_contain_text("Olive oil 7")


def test_a_department_that_is_not_there_leads_to_those_that_are(visitor, complaints):
    page = visitor("/shop/c/Grocery/Nonsense")

    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such department.")
    expect(page.locator("#row-trending .card").first).to_be_visible()
    page.locator("#department-tiles").get_by_role("link", name="Grocery").click()
    expect(page.locator("#listing-count")).to_have_text("90 products")
    complaints.clear()  # the browser logs the 404 itself


def test_more_of_a_list_is_shown_on_demand(visitor):
    page = visitor("/shop/c/Dairy")
    expect(page.locator("#listing-grid .card")).to_have_count(24)

    page.click("#listing-more")

    expect(page.locator("#listing-grid .card")).to_have_count(40)
    expect(page.locator("#listing-more")).to_be_hidden()


def test_the_basket_counts_and_an_order_empties_it(visitor):
    page = visitor("/shop/p/tea-2")
    put_into_basket(page)
    page.goto(page.url.replace("/p/tea-2", "/basket"))

    page.get_by_role("button", name="One more of Tea 2").click()
    expect(page.locator("#total")).to_have_text("$5.00")
    page.click("#order")

    expect(page.locator("#basket")).to_contain_text("Nothing in it yet.")
    expect(page.locator("#basket-count")).to_have_text("0")


def test_what_a_basket_lacks_for_free_delivery_is_told_and_asked_with(visitor):
    page = visitor("/shop/p/wine-10")
    put_into_basket(page)
    with page.expect_request(lambda request: '"free_shipping_gap"' in (request.post_data or "")):
        page.click("#basket-link")
    expect(page.locator("#shipping")).to_have_text("$14.50 more and delivery is free")

    page.get_by_role("button", name="One more of Wine 10").click()
    page.get_by_role("button", name="One more of Wine 10").click()

    expect(page.locator("#shipping")).to_have_text("Delivery is free")


def test_the_home_page_follows_the_visit(visitor):
    page = visitor("/shop/p/salmon-5")
    expect(page.get_by_role("heading", name="Salmon 5", level=1)).to_be_visible()

    page.get_by_role("link", name="Larder & Co").click()

    expect(card(page, "visit", "lemons-5")).to_be_visible()
    expect(page.locator("#department-tiles")).to_contain_text("Seafood")


def test_a_product_that_is_not_sold_is_no_part_of_the_visit(visitor, complaints):
    page = visitor("/shop/p/never-sold")
    expect(page.locator("#product")).to_contain_text("not sold here any more")
    complaints.clear()  # the browser logs the 404 itself

    assert page.evaluate("sessionStorage.getItem('multireco.views')") == "[]"


def sent_events(page: Page, after) -> list[dict]:
    """What the page tells the shop when `after` is done."""
    with page.expect_request("**/v1/events") as told:
        after()
    assert told.value.response().status == 202
    return json.loads(told.value.post_data)


def test_nothing_is_linked_before_the_visitor_agreed(visitor):
    page = visitor("/shop/p/wine-1")
    expect(page.locator("#consent")).to_be_visible()

    batch = sent_events(page, lambda: page.click("#add-to-basket"))

    assert "consent" not in batch
    assert all("session_id" not in event for event in batch["events"])


def test_a_visitor_who_agreed_is_linked_by_a_random_number_of_this_tab(visitor):
    page = visitor("/shop/p/wine-2")
    page.get_by_role("button", name="Agree").click()

    batch = sent_events(page, lambda: page.click("#add-to-basket"))

    assert batch["consent"] is True
    assert len({event["session_id"] for event in batch["events"]}) == 1
    assert "session" not in page.evaluate("Object.keys(localStorage).join()")


def test_the_visit_is_forgotten_on_demand(visitor):
    page = visitor("/shop/p/wine-3")
    expect(page.get_by_role("heading", name="Wine 3", level=1)).to_be_visible()

    page.click("#forget-visit")

    expect(page.locator("#announcements")).to_have_text("This visit is forgotten")
    assert page.evaluate("sessionStorage.getItem('multireco.views')") is None


def test_a_product_that_is_not_sold_is_said_so_in_words(visitor, complaints):
    page = visitor("/shop/p/no-such-product")

    expect(page.locator("#product")).to_contain_text("not sold here")
    complaints.clear()  # the browser logs the 404 itself


def test_the_shop_works_without_recommendations(visitor, complaints):
    page = visitor("/shop/basket")
    page.route("**/v1/batch", lambda route: route.abort())
    page.route("**/v1/recommendations*", lambda route: route.abort())

    page.goto(page.url.replace("/basket", "/p/pasta-1"))

    expect(page.locator("#row-together")).to_contain_text("These suggestions did not come")
    put_into_basket(page)
    page.close()  # nothing more is asked
    complaints.clear()  # the browser logs what was cut off


def test_a_phone_shows_every_page_without_scrolling_sideways(visitor):
    page = visitor("/shop/", viewport={"width": 390, "height": 844})

    for path in ("/shop/", "/shop/c/Grocery", "/shop/p/pasta-1", "/shop/basket", "/explore/"):
        page.goto(page.url.split("/shop")[0].split("/explore")[0] + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path


def test_colours_follow_the_system_until_the_visitor_chooses(visitor):
    page = visitor("/shop/", color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(21, 23, 20)"

    page.get_by_role("button", name="Dark colours").click()
    page.reload()

    assert page.evaluate(background) == "rgb(250, 248, 243)"
