"""The shells: what every page sends before the browser fills it."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from reco_app.serving import live, rules
from reco_app.serving.cards import Cards
from reco_app.serving.shelf import ShelfProduct, empty

PAGES = [
    "/shop/",
    "/shop/c/Grocery",
    "/shop/c/Grocery/Pasta%20%26%20rice",
    "/shop/p/85123A",
    "/shop/search",
    "/shop/basket",
    "/explore/",
]


@pytest.fixture(params=PAGES)
def page(request, client: Client):
    return client.get(request.param)


def test_every_page_answers_with_its_shell(page):
    assert page.status_code == 200
    assert '<main id="main"' in page.text


def test_a_page_may_run_only_scripts_of_its_own_host(page):
    policy = page["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


def test_a_page_has_no_inline_script_style_or_handler(page):
    assert not re.search(r"<script(?![^>]*\ssrc=)", page.text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page.text)


def test_a_page_names_no_other_host(page):
    assert not re.search(r"(?:src|href|action)=[\"'](?:https?:)?//", page.text)


def test_a_page_offers_a_way_past_its_header_and_says_what_the_shop_keeps(page):
    assert 'class="skip-link" href="#main"' in page.text
    assert "kept in this browser only" in page.text


def test_shop_pages_are_the_same_for_everybody(client: Client):
    answer = client.get("/shop/")

    assert "max-age=60" in answer["Cache-Control"]
    assert "public" in answer["Cache-Control"]
    assert "Cookie" not in answer.get("Vary", "")


@pytest.fixture
def shelves(monkeypatch):
    """A shop of three departments, in one of which nothing is offered any more."""
    products = [
        ShelfProduct("a", version=1, categories=("Home > Kitchen",)),
        ShelfProduct("b", version=2, categories=("Tea/Coffee",)),
        ShelfProduct("c", version=3, categories=("Garden",)),
        ShelfProduct("c", version=4, deleted=True),
    ]
    known = empty().with_products(products, version=4)
    monkeypatch.setattr(live, "_state", live.state_of(None, known, rules.NOTHING, Cards()))


@pytest.mark.parametrize("address", ["Home", "Home/Kitchen", "Home/Kitchen/", "Tea%2FCoffee"])
@pytest.mark.usefixtures("shelves")
def test_a_department_in_which_something_is_sold_has_a_page(client: Client, address):
    answer = client.get(f"/shop/c/{address}")

    assert answer.status_code == 200
    assert "max-age=60" in answer["Cache-Control"]


@pytest.mark.parametrize("address", ["Hom", "Home/Kitchen/Spoons", "Kitchen", "Garden", "%00"])
@pytest.mark.usefixtures("shelves")
def test_a_department_that_is_not_there_is_not_found_and_others_are_offered(
    client: Client, address
):
    answer = client.get(f"/shop/c/{address}")

    assert answer.status_code == 404
    assert "There is no such department." in answer.text
    assert 'id="department-tiles"' in answer.text
    assert "max-age" not in answer.get("Cache-Control", "")


def test_the_explorer_is_never_cached_because_it_knows_staff(client: Client):
    assert "no-store" in client.get("/explore/")["Cache-Control"]


def test_visitors_are_asked_to_log_in_where_staff_see_the_steps(client: Client):
    answer = client.get("/explore/")

    assert 'id="steps"' not in answer.text
    assert f"{reverse('admin:login')}?next=/explore/" in answer.text


def test_staff_see_the_steps(client: Client, admin_user):
    client.force_login(admin_user)

    assert 'id="steps"' in client.get("/explore/").text


def test_pages_are_only_for_reading(client: Client):
    assert client.post("/shop/").status_code == 405
