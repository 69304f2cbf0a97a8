"""The explorer: a recommendation tried, taken apart and shared."""

from playwright.sync_api import expect


def test_products_picked_by_search_are_answered_with_reasons(visitor):
    page = visitor("/explore/")

    page.get_by_role("combobox", name="Add a product").fill("pasta 8")
    page.get_by_role("option", name="Pasta 8").click()
    page.locator("#scenario").select_option("basket")

    result = page.locator("#results [data-item=sauce-8]")
    expect(result).to_contain_text("Bought together with Pasta 8 in 25 baskets")
    expect(page.locator("#answer-facts")).to_contain_text("answered in")
    expect(page.locator("#raw-request")).to_contain_text('"item_id": "pasta-8"')


def test_role_quantity_and_filters_reach_the_request_and_its_address(visitor):
    page = visitor("/explore/")
    page.get_by_role("combobox", name="Add a product").fill("coffee 2")
    page.get_by_role("option", name="Coffee 2").click()

    page.get_by_label("How Coffee 2 was used").select_option("add-to-cart")
    page.get_by_label("Quantity of Coffee 2").fill("3")
    page.get_by_label("Quantity of Coffee 2").press("Tab")
    page.get_by_label("in category").fill("Dairy")
    expect(page.locator("#raw-request")).to_contain_text('"Dairy"')
    expect(page.locator("#results .result").first).to_contain_text("Milk 2")

    page.reload()
    expect(page.locator("#raw-request")).to_contain_text('"quantity": 3')
    expect(page.get_by_label("in category")).to_have_value("Dairy")


def test_a_request_that_is_refused_is_explained(visitor, complaints):
    page = visitor("/explore/")

    page.get_by_label("from price").fill("cheap")

    expect(page.locator("#answer-facts")).to_contain_text("422")
    expect(page.locator("#answer-facts")).to_contain_text("/filter/price_min")
    complaints.clear()  # the browser logs the 422 itself


def test_staff_see_each_step_and_why_a_product_is_absent(staff, shop):
    staff.goto(shop.url("/explore/"))
    staff.get_by_role("combobox", name="Add a product").fill("salad 4")
    staff.get_by_role("option", name="Salad 4").click()
    expect(staff.locator("#results")).to_contain_text("Tomatoes 4")

    staff.locator("#steps summary").click()
    expect(staff.locator("#steps")).to_contain_text("found by the engine")
    staff.get_by_role("combobox", name="Why is a product not here?").fill("salad 4")
    staff.get_by_role("option", name="Salad 4").click()

    expect(staff.locator("#steps")).to_contain_text("It is among the products of the request.")
