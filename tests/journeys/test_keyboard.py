"""Everything without a mouse, with the focus seen at each step."""

from playwright.sync_api import Locator, Page, expect

MOST_STEPS = 80
# A card outlines itself as a whole while the link in it has the focus.
SEEN = """element => [element, element.closest(".card")].some(
    (one) => one && getComputedStyle(one).outlineStyle !== "none"
)"""


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until `target` has the focus, which must then be seen."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            assert target.evaluate(SEEN), "the focus is not seen"
            return
    raise AssertionError(f"Tab does not lead to {target}")


def test_the_first_tab_offers_a_way_past_the_header(visitor):
    page = visitor("/shop/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


def test_a_basket_is_filled_and_a_reason_read_by_keyboard_alone(visitor):
    page = visitor("/shop/")
    tab_to(page, page.locator("#search-words"))
    page.keyboard.type("sauce 6")
    page.keyboard.press("Enter")
    expect(page.locator("#listing-grid")).to_contain_text("Sauce 6")
    tab_to(page, page.get_by_role("link", name="Sauce 6", exact=True))
    page.keyboard.press("Enter")
    expect(page.locator("#add-to-basket")).to_be_visible()
    tab_to(page, page.locator("#add-to-basket"))
    page.keyboard.press("Enter")
    expect(page.locator("#announcements")).to_contain_text("Sauce 6 is in your basket")

    why = page.locator("#row-together").get_by_role("button", name="Why Pasta 6?")
    expect(why).to_be_visible()
    tab_to(page, why)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Bought together with Sauce 6")
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(why).to_be_focused()


def test_the_quantity_in_the_basket_changes_by_keyboard_and_keeps_the_focus(visitor):
    page = visitor("/shop/p/honey-3")
    page.click("#add-to-basket")
    page.goto(page.url.replace("/p/honey-3", "/basket"))

    more = page.get_by_role("button", name="One more of Honey 3")
    tab_to(page, more)
    page.keyboard.press("Enter")

    expect(page.locator("#total")).to_have_text("$7.00")
    expect(more).to_be_focused()
