"""Files of the installed apps, as browsers get them."""

import re

import httpx2
import pytest
from django.templatetags.static import static
from django.test import Client

from reco_app import static_files
from reco_app.asgi import application

CSS = "/static/storefront/css/frame.css"
FOR_GOOD = "public, max-age=31536000, immutable"


@pytest.fixture
async def browser():
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://reco") as client:
        yield client


@pytest.mark.parametrize(
    "name", ["storefront/css/frame.css", "unfold/css/styles.css", "admin/js/core.js"]
)
async def test_every_installed_app_has_its_files_sent_to_be_kept_for_good(browser, name):
    response = await browser.get(static(name))
    assert response.status_code == 200
    assert response.headers["cache-control"] == FOR_GOOD
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", [CSS, CSS.replace("/static/", "/static/v-0123456789ab/")])
async def test_a_file_of_no_version_or_another_is_asked_for_each_time(browser, path):
    response = await browser.get(path)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-cache"


def test_any_change_of_a_file_changes_the_address_of_all(tmp_path, monkeypatch):
    monkeypatch.setattr(static_files, "_packages", lambda: {"shop": tmp_path})
    script = tmp_path / "page.js"
    versions = set()
    for text in ("import './dom.js'", "import './money.js'"):
        script.write_text(text)
        versions.add(static_files.version.__wrapped__())
    script.rename(tmp_path / "other.js")

    assert len(versions | {static_files.version.__wrapped__()}) == 3


def test_every_page_names_its_files_by_their_version(client: Client):
    named = set(re.findall(r'(?:href|src)="/static/([^/"]+)/', client.get("/shop/").text))

    assert named == {static_files.version()}


async def test_an_unchanged_file_is_not_sent_again(browser):
    etag = (await browser.get(CSS)).headers["etag"]
    response = await browser.get(CSS, headers={"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["cache-control"] == "no-cache"


async def test_a_head_request_tells_the_length_alone(browser):
    response = await browser.head(CSS)
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["content-length"]) > 0


@pytest.mark.parametrize(
    "path",
    [
        "/static/nothing.css",
        "/static/",
        "/static/storefront/",
        "/static/%2e%2e/apps.py",
        "/static/..%2fapps.py",
        "/static/storefront/%2e%2e/%2e%2e/views.py",
        "/static/%2fetc/passwd",
        "/static//etc/passwd",
        "/static/a%00b",
        f"/static/{'long' * 100}",
    ],
)
async def test_what_is_no_file_of_an_app_is_a_problem(browser, path):
    response = await browser.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "not-found"


async def test_a_file_is_only_for_reading(browser):
    response = await browser.post(CSS)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert response.json()["code"] == "method-not-allowed"
