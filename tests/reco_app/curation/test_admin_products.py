import csv
import io
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.files.uploadedfile import SimpleUploadedFile

from reco_app.curation import store
from reco_app.curation.importing import FeedImport
from reco_app.curation.models import OutboxEntry, Product

LIST = "/admin/curation/product/"


class PageFields(HTMLParser):
    """What a browser would send back of a page: its fields as they were shown."""

    def __init__(self, page):
        super().__init__()
        self.values, self._name = {}, ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        name = given.get("name") or ""
        unused = name.startswith("_") or name in ("q", "action")
        ticked = given.get("type") != "checkbox" or "checked" in given
        if tag == "input" and name and not unused and ticked:
            self.values[name] = given.get("value") or ""
        if tag in ("select", "textarea"):
            self._name = name
        if tag == "textarea":
            self.values[name] = ""
        if tag == "option" and "selected" in given and self._name:
            self.values[self._name] = given["value"]

    def handle_endtag(self, tag):
        if tag in ("select", "textarea"):
            self._name = ""

    def handle_data(self, data):
        if self._name and self.lasttag == "textarea":
            self.values[self._name] += data.removeprefix("\n")


@pytest.fixture
def act(admin_client, products):
    """Carries out an action on the mug and the pan; answers with the page that follows."""

    def carry_out(action, page="", **more):
        selected = {ACTION_CHECKBOX_NAME: ["mug", "pan"], "action": action}
        return admin_client.post(LIST + page, selected | more, follow=True)

    return carry_out


def test_the_form_shows_a_product(admin_client, products):
    assert "Home &gt; Kitchen" in admin_client.get(f"{LIST}mug/change/").content.decode()


def test_a_saved_form_reaches_history_and_outbox(admin_client, products):
    OutboxEntry.objects.all().delete()
    form = {
        **{"title": "Red mug", "price": "3.00", "availability": "in_stock", "visible": "on"},
        **{"categories": "Home > Kitchen\nGifts", "attributes": "{}", "sale_price": ""},
        **{"published_at_0": "2026-01-01", "published_at_1": "10:00"},
    }

    answer = admin_client.post(f"{LIST}mug/change/", form)

    mug = Product.objects.get(pk="mug")
    assert answer.status_code == 302
    assert (mug.title, mug.categories) == ("Red mug", ["Home > Kitchen", "Gifts"])
    assert mug.history.first().history_user.username == "admin"
    assert OutboxEntry.objects.get().version == mug.version == store.clock_version()


def test_a_new_product_takes_the_shop_s_currency(admin_client, db):
    form = {
        **{"item_id": "vase", "title": "Vase", "price": "3.00", "availability": "in_stock"},
        **{"published_at_0": "2026-01-01", "published_at_1": "10:00", "attributes": "{}"},
    }

    admin_client.post(f"{LIST}add/", form)

    vase = Product.objects.get(pk="vase")
    assert (vase.currency, vase.version, vase.visible) == ("USD", 1, False)


def test_a_sale_price_above_the_price_is_refused(admin_client, products):
    form = {"title": "Mug", "price": "3.00", "sale_price": "4.00", "availability": "in_stock"}

    page = admin_client.post(f"{LIST}mug/change/", form).content.decode()

    assert "The sale price is above the normal price." in page


def test_the_list_saves_what_was_edited_in_it_and_nothing_else(admin_client, products):
    OutboxEntry.objects.all().delete()
    rows = {"form-TOTAL_FORMS": "3", "form-INITIAL_FORMS": "3", "_save": "Save"}
    for number, item_id in enumerate(["mug", "pan", "pot"]):
        rows |= {
            f"form-{number}-item_id": item_id,
            f"form-{number}-price": "2.50" if item_id != "pan" else "8.00",
            f"form-{number}-availability": "in_stock",
            f"form-{number}-visible": "on",
            f"initial-form-{number}-price": "2.50",
            f"initial-form-{number}-availability": "in_stock",
            f"initial-form-{number}-visible": "True",
        }

    admin_client.post(LIST, rows)

    assert Product.objects.get(pk="pan").price == Decimal("8.00")
    assert [entry.product_id for entry in OutboxEntry.objects.all()] == ["pan"]


def test_a_page_opened_before_a_feed_came_does_not_undo_the_feed(admin_client, products):
    shown = PageFields(admin_client.get(f"{LIST}mug/change/").content.decode())
    store.upsert_products({"mug": {"price": Decimal("9.00")}}, reason="feed", user_id=None)

    admin_client.post(f"{LIST}mug/change/", shown.values | {"title": "Red mug"})

    mug = Product.objects.get(pk="mug")
    assert (mug.title, mug.price) == ("Red mug", Decimal("9.00"))


def test_a_product_goes_back_to_a_state_of_its_history(admin_client, products):
    first = Product.objects.get(pk="mug").history.first().pk
    store.upsert_products({"mug": {"price": Decimal("9.00")}}, reason="feed", user_id=None)
    shown = PageFields(admin_client.get(f"{LIST}mug/history/{first}/").content.decode())

    admin_client.post(f"{LIST}mug/history/{first}/", shown.values)

    assert Product.objects.get(pk="mug").price == Decimal("2.50")


def test_a_list_opened_before_a_feed_came_does_not_undo_the_feed(admin_client, products):
    shown = PageFields(admin_client.get(LIST).content.decode())
    store.upsert_products({"mug": {"price": Decimal("9.00")}}, reason="feed", user_id=None)

    admin_client.post(LIST, shown.values | {"form-1-price": "8.00", "_save": "Save"})

    assert Product.objects.get(pk="mug").price == Decimal("9.00")
    assert Product.objects.get(pk="pan").price == Decimal("8.00")


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ("hide", "visible", False),
        ("out_of_stock", "availability", "out_of_stock"),
    ],
)
def test_an_action_changes_the_selection(act, action, field, value):
    act(action)

    changed = Product.objects.filter(**{field: value})
    assert {product.pk for product in changed} == {"mug", "pan"}
    assert OutboxEntry.objects.filter(version__gt=3).count() == 2


def test_an_action_on_all_pages_changes_what_the_search_found(admin_client, products):
    selected = {ACTION_CHECKBOX_NAME: ["pot"], "action": "hide", "select_across": "1"}

    admin_client.post(f"{LIST}?q=pan", selected)

    assert [product.pk for product in Product.objects.filter(visible=False)] == ["pan"]


def test_a_long_category_is_added_and_its_reason_cut(act):
    act("add_category", apply="yes", path="Deep " * 40 + "down")

    reason = Product.objects.get(pk="mug").history.first().history_change_reason
    assert reason.startswith("in “Deep")


def test_a_retired_product_can_be_brought_back(act):
    act("retire")
    assert Product.objects.filter(retired_at=None).count() == 1

    act("bring_back", page="?offer=retired")

    assert Product.objects.filter(retired_at=None).count() == 3


def test_a_sale_asks_for_the_percentage_and_rounds_to_the_cent(act):
    assert "Percent off" in act("set_sale").content.decode()

    act("set_sale", apply="yes", percentage="33")

    assert Product.objects.get(pk="mug").sale_price == Decimal("1.68")


def test_categories_are_added_and_removed_with_what_lies_below(act):
    act("add_category", apply="yes", path="Gifts > Tea")
    act("remove_category", apply="yes", path="Home")

    assert Product.objects.get(pk="mug").categories == ["Gifts > Tea"]
    assert Product.objects.get(pk="pot").categories == ["Home > Kitchen"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=blue", {"mug"}),
        ("q=PO", {"pot"}),
        ("category=Home", {"mug", "pan", "pot"}),
        ("category=Garden", set()),
        ("brand=Acme", set()),
        ("offer=hidden", set()),
    ],
)
def test_search_and_filters_find_products(admin_client, products, query, found):
    result = admin_client.get(f"{LIST}?{query}").context["cl"].queryset

    assert {product.pk for product in result} == found


@pytest.fixture
def table(admin_client, products):
    formula = {"pot": {"title": "=1+1", "categories": ["-5 %", "@home"]}}
    store.upsert_products(formula, reason="test", user_id=None)
    answer = admin_client.post(
        f"{LIST}export/",
        {"format": "0", "resource": ""} | dict.fromkeys(exported_fields(), "on"),
    )
    return b"".join(answer) if answer.streaming else answer.content


def test_what_was_exported_can_be_imported_without_a_change(table, products):
    assert {row["id"] for row in csv.DictReader(io.StringIO(table.decode()))} == set(products)

    feed = FeedImport(io.BytesIO(table), "csv")
    feed.store()

    assert (feed.summary.unchanged, feed.summary.errors) == (3, [])


def test_an_export_holds_no_formula(table):
    cells = [cell for row in csv.reader(io.StringIO(table.decode())) for cell in row]

    assert "'=1+1" in cells
    assert [cell for cell in cells if cell[:1] in "=+-@" and cell] == []


def exported_fields():
    return [
        *("item_id", "title", "brand", "description", "categories", "price", "sale_price"),
        *("currency", "availability", "visible", "image_url", "url", "attributes", "tags"),
        *("item_group_id", "published_at"),
    ]


def test_a_feed_is_imported_by_its_page(admin_client, products):
    upload = SimpleUploadedFile("feed.csv", b"id,title,price\nmug,Red mug,2.50\nvase,Vase,x\n")

    page = admin_client.post(f"{LIST}import_feed/", {"file": upload}).content.decode()

    assert Product.objects.get(pk="mug").title == "Red mug"
    assert "is not a price" in page


def test_the_history_page_tells_who_changed_what(admin_client, act):
    act("hide")

    page = admin_client.get(f"{LIST}mug/history/").content.decode()

    assert "hidden" in page
    assert "admin" in page


def test_a_retired_product_is_listed_only_when_asked_for(admin_client, act):
    act("retire")

    listed = admin_client.get(LIST).context["cl"].queryset
    retired = admin_client.get(f"{LIST}?offer=retired").context["cl"].queryset
    assert [product.pk for product in listed] == ["pot"]
    assert {product.pk for product in retired} == {"mug", "pan"}
