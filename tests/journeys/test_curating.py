"""What staff do in the admin reaches the shop within three seconds."""

import time

from playwright.sync_api import Page, expect

SECONDS = 3


def seconds_until(shopper: Page, shown) -> float:
    """Reload the shopper's page until `shown()`; how long that took."""
    began = time.monotonic()
    while time.monotonic() < began + 10:
        shopper.reload()
        shopper.wait_for_load_state("networkidle")
        if shown():
            return time.monotonic() - began
    raise AssertionError("the shop did not follow within 10 s")


def save(staff: Page) -> None:
    staff.locator("[name=_save]").click()
    expect(staff.get_by_text("successfully")).to_be_visible()


def test_a_product_hidden_in_the_admin_is_gone_from_the_shop(visitor, staff, shop):
    shopper = visitor("/shop/p/bread-1")
    complement = shopper.locator("#row-together [data-item=butter-1]")
    expect(complement).to_be_visible()

    staff.goto(shop.url("/admin/curation/product/butter-1/change/"))
    staff.locator("[name=visible]").uncheck()
    save(staff)
    hidden_after = seconds_until(shopper, lambda: complement.count() == 0)
    staff.goto(shop.url("/admin/curation/product/butter-1/change/"))
    staff.locator("[name=visible]").check()
    save(staff)
    shown_after = seconds_until(shopper, lambda: complement.count() == 1)

    assert hidden_after <= SECONDS
    assert shown_after <= SECONDS


def test_a_hidden_product_cannot_be_found_any_more(visitor, staff, shop):
    shopper = visitor("/shop/search?q=sugar")
    found = shopper.locator("#listing-grid [data-item=sugar-9]")
    expect(found).to_be_visible()

    staff.goto(shop.url("/admin/curation/product/sugar-9/change/"))
    staff.locator("[name=visible]").uncheck()
    save(staff)
    hidden_after = seconds_until(shopper, lambda: found.count() == 0)
    staff.goto(shop.url("/admin/curation/product/sugar-9/change/"))
    staff.locator("[name=visible]").check()
    save(staff)
    seconds_until(shopper, lambda: found.count() == 1)

    assert hidden_after <= SECONDS


def test_a_product_pinned_in_the_admin_comes_first(visitor, staff, shop):
    shopper = visitor("/shop/p/soap-6")
    first = shopper.locator("#row-together .card").first
    expect(first).to_be_visible()

    staff.goto(shop.url("/admin/curation/rule/add/"))
    staff.locator("[name=kind]").select_option("pin")
    choose(staff, "target_product", "roses-8")
    choose(staff, "context_product", "soap-6")
    staff.locator("[name=position]").fill("1")
    save(staff)
    pinned_after = seconds_until(shopper, lambda: first.get_attribute("data-item") == "roses-8")

    assert pinned_after <= SECONDS
    first.get_by_role("button", name="Why Roses 8?").click()
    expect(shopper.get_by_role("dialog")).to_contain_text("The shop's own people put it here")
    delete_newest_rule(staff, shop.url("/admin/curation/rule/"))


def choose(staff: Page, field: str, item: str) -> None:
    """Pick a product in a field that completes what is typed."""
    staff.locator(f".field-{field} .select2-selection, [name={field}] + .select2").first.click()
    staff.locator(".select2-search__field").last.fill(item)
    staff.locator(".select2-results__option", has_text=f"({item})").click()


def delete_newest_rule(staff: Page, address: str) -> None:
    staff.goto(address)
    staff.locator("#result_list a[href*='/change/']").first.click()
    staff.locator("a[href$='/delete/']").first.click()
    staff.get_by_role("button", name="Yes").click()
    expect(staff.get_by_text("successfully")).to_be_visible()
